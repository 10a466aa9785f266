package browser

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// maxScreenshot keeps the repository small, in bytes.
const maxScreenshot = 200 << 10

// TestScreenshots takes the screenshots for the README, which make screenshots writes. Without a folder it discards
// them.
func TestScreenshots(t *testing.T) {
	page := open(t)
	folder := *screenshots
	if folder == "" {
		folder = t.TempDir()
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	page.do(chromedp.EmulateViewport(1400, 1050))
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
	p.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, 0, 0)) // away from everything that changes when hovered
	p.run(`document.activeElement.blur(); scrollTo({ top: 0, behavior: "instant" })`)
	picture, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	decoded, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		p.t.Fatal(err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, reduced(decoded)); err != nil {
		p.t.Fatal(err)
	}
	if small.Len() > maxScreenshot {
		p.t.Errorf("%s has %d bytes", path, small.Len())
	}
	if err := os.WriteFile(path, small.Bytes(), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// reduced is a picture in its 256 most frequent colours, which are enough for text.
func reduced(picture image.Image) image.Image {
	counts := map[color.Color]int{}
	bounds := picture.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[picture.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(counts), func(a, b color.Color) int { return counts[b] - counts[a] })
	small := image.NewPaletted(bounds, colours[:min(len(colours), 256)])
	draw.Draw(small, bounds, picture, bounds.Min, draw.Src)
	return small
}
