package browsertest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestReport opens the report of a scan of hostile events.
func TestReport(t *testing.T) {
	folder := t.TempDir()
	binary := buildProgram(t, folder)
	var events strings.Builder
	for n, text := range hostile {
		events.WriteString(event(n, text) + "\n" + `<script>` + mark + `</script>` + "\n")
	}
	names := map[string]string{"policy.yaml": policy, "events.ndjson": events.String()}
	for name, text := range names {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	scan := exec.CommandContext(t.Context(), binary, "scan", "events.ndjson", "--policy", "policy.yaml", "--report", "report.html")
	scan.Dir = folder
	if out, err := scan.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx := browser(t)
	seen := watch(ctx, t)
	url := "file://" + filepath.Join(folder, "report.html")
	do(ctx, t, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(url))

	if eval[bool](ctx, t, `'__ran' in window`) {
		t.Error("a script of an event has run")
	}
	foreign := eval[[]string](ctx, t, `[...document.querySelectorAll('script:not(body > script), link, img, iframe, base, form, a, [style], [src], [href], [onload], [onerror], [onmouseover]')].map((e) => e.outerHTML.slice(0, 200))`)
	if len(foreign) > 0 {
		t.Errorf("foreign elements and attributes: %q", foreign)
	}
	text := eval[string](ctx, t, `document.body.textContent`)
	for _, want := range []string{`<script>` + mark + `</script>`, `\u202egnp.exe\u2066`, `&lt;script&gt;`, "15 alerted"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if back := eval[string](ctx, t, `getComputedStyle(document.querySelector('.h5')).backgroundColor`); back == "rgba(0, 0, 0, 0)" {
		t.Error("the heat map has no colour: the style is not in force")
	}
	// The script of the page runs, and sorts by numbers as numbers, first upward, then downward.
	const sums = `[...document.querySelectorAll('table.heat tbody tr')].map((row) => Number(row.cells[row.cells.length - 1].textContent.replaceAll(',', '')))`
	for _, sign := range []string{">", "<"} {
		do(ctx, t, chromedp.Click(`table.heat thead th:last-child button`))
		if !eval[bool](ctx, t, sums+`.every((n, i, all) => i === 0 || !(all[i - 1] `+sign+` n))`) {
			t.Errorf("the heat map is not sorted: %v", eval[[]int64](ctx, t, sums))
		}
	}
	for _, width := range []int64{320, 390, 768, 1280, 1920} {
		do(ctx, t, chromedp.EmulateViewport(width, 800))
		if got := eval[int64](ctx, t, `document.documentElement.scrollWidth`); got > width {
			t.Errorf("on %d pixels the page is %d wide", width, got)
		}
		shoot(ctx, t, fmt.Sprintf("report-%d", width))
	}
	wantAccessible(ctx, t)
	for _, what := range seen() {
		if what != "request "+url {
			t.Errorf("the browser has seen: %s", what)
		}
	}
}
