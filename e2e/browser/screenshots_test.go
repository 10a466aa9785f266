package browser

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
)

// maxScreenshot keeps the repository small, in bytes.
const maxScreenshot = 200 << 10

// Screenshots for the README: make screenshots writes them. Without a folder they are taken and
// thrown away, so that the target does not rot.
func TestScreenshots(t *testing.T) {
	page := open(t)
	folder := *screenshots
	if folder == "" {
		folder = t.TempDir()
	}
	if err := os.MkdirAll(folder, 0o750); err != nil {
		t.Fatal(err)
	}
	page.do(chromedp.EmulateViewport(1200, 840))
	page.scheme("light")
	page.click(`[name=route][value=reports]`)
	page.send()
	page.shoot(filepath.Join(folder, "playground-light.png"))

	page.scheme("dark")
	page.power("down")
	page.click("#rotate")
	page.await(answers + `.ariaBusy === "false"`)
	page.after(func() { page.click(`[data-preset="0"]`) })
	page.shoot(filepath.Join(folder, "playground-dark.png"))
}

func (p *tab) shoot(path string) {
	p.t.Helper()
	evaluate[bool](p, "document.activeElement.blur() || scrollTo(0, 0) || true")
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if len(picture) > maxScreenshot {
		p.t.Errorf("%s has %d bytes", path, len(picture))
	}
	if err := os.WriteFile(path, picture, 0o644); err != nil { //nolint:gosec // a picture for everybody
		p.t.Fatal(err)
	}
}
