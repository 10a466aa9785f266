package main

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	table, err := read(strings.NewReader(`{"Action":"start","Package":"p"}
{"Action":"pass","Package":"p","Test":"TestConformance/Gin/no_token"}
{"Action":"pass","Package":"p","Test":"TestConformance/Gin,_in_process/no_token"}
{"Action":"fail","Package":"q","Test":"TestConformance/net/http/no_token"}
{"Action":"pass","Package":"q","Test":"TestConformance/net/http/attacks/kid/absent"}
{"Action":"fail","Package":"q","Test":"TestConformance/net/http/attacks/kid/twice/or_thrice"}
{"Action":"fail","Package":"q","Test":"TestConformance/net/http/attacks"}
{"Action":"fail","Package":"q","Test":"TestConformance/net/http"}
{"Action":"fail","Package":"q","Test":"TestConformance"}
{"Action":"pass","Package":"q","Test":"TestSomethingElse/Gin/x"}
{"Action":"fail","Package":"q"}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := "| case | Gin | Gin, in process | net/http |\n| --- | --- | --- | --- |\n" +
		"| no token | ✓ | ✓ | **0 of 1** |\n| attacks: kid | – | – | **1 of 2** |\n| **passed** | 1 of 1 | 1 of 1 | 1 of 3 |\n"
	if got := table.markdown(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if len(table.failed) != 1 || table.failed[0] != "q" {
		t.Errorf("failed: %q", table.failed)
	}
	for _, empty := range []string{"", "no JSON\n", `{"Action":"pass","Test":"TestOther"}`} {
		if _, err := read(strings.NewReader(empty)); err == nil {
			t.Errorf("%q: no error", empty)
		}
	}
}
