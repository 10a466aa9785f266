package fibersso_test

import (
	"testing"

	"github.com/more-retail/moresso-go/core/adaptertest"
)

func TestNew_Mistakes(t *testing.T) {
	adaptertest.TestMistakes(t, func(l adaptertest.Layer) { middleware(l) })
}
