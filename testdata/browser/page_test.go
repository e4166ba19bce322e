//go:build linux

package browser

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/breaking-backups/breaking-backups/notify/status"
	"github.com/breaking-backups/breaking-backups/notify/web"
)

// Each page, wide and light, and dark on a telephone: the checker finds nothing, and it need not be
// pushed sideways. Colours know nothing of widths. With -update the pictures of docs are taken, of
// all four.
func TestPages(t *testing.T) {
	browser, script := chromium(t), axe(t)
	board, wild := serve(t, shop()), serve(t, hostile())
	for name, address := range map[string]string{
		"overview": board + "/?refresh=off", "job": board + "/job/shop", "job-wrong": board + "/job/accounts", "job-running": board + "/job/archive?refresh=off",
		"empty": serve(t, status.NewBoard()) + "/", "nojob": board + "/job/none", "hostile": wild + "/?refresh=off", "hostile-job": wild + "/job/" + url.PathEscape(evil) + "?refresh=off",
	} {
		for _, scheme := range []string{"light", "dark"} {
			for _, width := range []int64{1280, 360} {
				if (scheme == "light") != (width == 1280) && !*update {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s/%d", name, scheme, width), func(t *testing.T) {
					ctx := tab(t, browser, address, scheme, width)
					if name == "nojob" {
						return
					}
					if wide := eval[int64](t, ctx, "document.documentElement.scrollWidth"); wide > width {
						t.Errorf("it is %d pixels wide", wide)
					}
					for _, fault := range violations(t, ctx, script) {
						t.Error(fault)
					}
					if *update && (name == "overview" || name == "job") {
						picture(t, ctx, fmt.Sprintf("../../docs/page-%s-%s-%d.png", name, scheme, width))
					}
				})
			}
		}
	}
}

// violations are what the checker finds.
func violations(t *testing.T, ctx context.Context, script string) []string {
	t.Helper()
	eval[int](t, ctx, script+"; 0")
	return eval[[]string](t, ctx, `axe.run().then(r => r.passes.length < 10 ? ["it found next to nothing to check"] :
		r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.map(n => n.html.slice(0, 300) + " " + n.failureSummary).join("; ")))`)
}

func picture(t *testing.T, ctx context.Context, path string) {
	t.Helper()
	do(t, ctx, chromedp.EmulateViewport(eval[int64](t, ctx, "innerWidth"), 1300))
	taken, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	seen, err := png.Decode(bytes.NewReader(taken))
	if err != nil {
		t.Fatal(err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, paletted(seen)); err != nil {
		t.Fatal(err)
	}
	if small.Len() > 150_000 {
		t.Errorf("%s takes %d bytes", path, small.Len())
	}
	if err := os.WriteFile(path, small.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// paletted is a picture in its 256 most frequent colours, a third of the bytes. A page has few, and
// the rest are edges of letters.
func paletted(seen image.Image) *image.Paletted {
	often := map[color.Color]int{}
	box := seen.Bounds()
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			often[seen.At(x, y)]++
		}
	}
	colours := slices.SortedFunc(maps.Keys(often), func(a, b color.Color) int { return cmp.Compare(often[b], often[a]) })
	small := image.NewPaletted(box, colours[:min(len(colours), 256)])
	index := map[color.Color]uint8{}
	for c := range often {
		index[c] = uint8(small.Palette.Index(c))
	}
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			small.SetColorIndex(x, y, index[seen.At(x, y)])
		}
	}
	return small
}

// Who has no mouse reaches every link and everything that scrolls, and sees where they are.
func TestKeyboard(t *testing.T) {
	browser := chromium(t)
	site := serve(t, shop())
	for _, address := range []string{site + "/?refresh=off", site + "/job/shop"} {
		ctx := tab(t, browser, address, "light", 1280)
		const all = `[...document.querySelectorAll("a[href], [tabindex='0']")]`
		want := eval[int](t, ctx, all+".length")
		for i := range want {
			do(t, ctx, chromedp.KeyEvent(kb.Tab))
			got := eval[struct {
				At    int
				Width string
				Style string
			}](t, ctx, `(e => ({At: `+all+`.indexOf(e), Width: getComputedStyle(e).outlineWidth, Style: getComputedStyle(e).outlineStyle}))(document.activeElement)`)
			if got.At != i || got.Width != "3px" || got.Style != "solid" {
				t.Errorf("%s: the key goes to %d of %d, want %d; outline %s %s", address, got.At, want, i, got.Width, got.Style)
			}
		}
	}
}

// A name does nothing, wherever it stands.
func TestHostile(t *testing.T) {
	browser := chromium(t)
	site := serve(t, hostile())
	for _, address := range []string{site + "/?refresh=off", site + "/job/" + url.PathEscape(evil) + "?refresh=off"} {
		ctx := tab(t, browser, address, "light", 1280)
		if title := eval[string](t, ctx, "document.title"); !strings.HasSuffix(title, "breaking-backups") {
			t.Errorf("%s: title %q", address, title)
		}
		if n := eval[int](t, ctx, `document.querySelectorAll("script, img, [style], [onerror]").length`); n != 0 {
			t.Errorf("%s: %d elements that are not ours", address, n)
		}
		if n := eval[int](t, ctx, "document.body.innerText.length"); n > 60_000 {
			t.Errorf("%s: %d characters", address, n)
		}
	}
}

// While a run goes on the page is asked for again, in a browser without scripts too, and not where
// somebody has stopped that.
func TestRefresh(t *testing.T) {
	browser := chromium(t)
	asked := make(chan string, 100)
	handler := web.New(web.Config{Board: shop(), Zone: time.UTC})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.String()
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	do(t, ctx, call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}), chromedp.Navigate(server.URL+"/"))
	pages, sheets := 0, 0
	for pages < 2 {
		select {
		case address := <-asked:
			switch address {
			case "/":
				pages++
			case "/page.css":
				sheets++
			}
		case <-time.After(time.Minute):
			t.Fatal("the page was not asked for again")
		}
	}
	if sheets == 0 {
		t.Error("the stylesheet was not asked for")
	}
}
