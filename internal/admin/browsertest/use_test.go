package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

const shownRows = `[...document.querySelectorAll('#alerts ol > li')].filter((e) => e.checkVisibility()).length`

// wantFilters wants search and selections to hide rows, also rows of hostile text, and Clear to show all again.
func wantFilters(ctx context.Context, t *testing.T, rows int) {
	input := func(selector, value string) {
		t.Helper()
		quoted, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		eval[bool](ctx, t, `(() => { const e = document.querySelector('`+selector+`'); e.value = `+string(quoted)+
			`; return e.dispatchEvent(new Event('input', {bubbles: true})); })()`)
	}
	f := func(what string, want int) {
		t.Helper()
		if got := eval[int](ctx, t, shownRows); got != want {
			t.Errorf("%s: %d rows are shown, want %d", what, got, want)
		}
	}
	input("#search", "SRCDOC iframe")
	f("search", 1)
	if text := eval[string](ctx, t, `document.getElementById('shown').textContent`); text != fmt.Sprintf("1 of %d rows", rows) {
		t.Errorf("it says %q", text)
	}
	input("#search", "policy record session")
	f("search for words of the labels", 0)
	input("#search", "no such thing")
	f("search for nothing there", 0)
	eval[int](ctx, t, `document.getElementById('clear').click(), 0`)
	f("cleared", rows)
	input("[data-filter=region]", "javascript:"+mark)
	f("region", 1)
	eval[int](ctx, t, `document.getElementById('clear').click(), 0`)
	input("[data-filter=account]", eval[string](ctx, t, `document.querySelector('[data-filter=account]').options[1].value`))
	f("account", rows)
	eval[int](ctx, t, `document.getElementById('clear').click(), 0`)
}

// wantKeyboard wants Tab to reach everything that can be used, each with a visible focus and a name, and Enter to open an
// alert.
func wantKeyboard(ctx context.Context, t *testing.T) {
	eval[int](ctx, t, `[...document.querySelectorAll('details')].map((e) => e.open = false).length`)
	eval[int](ctx, t, `document.querySelector('.skip').focus(), 0`)
	var reached []string
	for range 12 {
		reached = append(reached, eval[string](ctx, t, `(() => {
			const e = document.activeElement;
			const name = e.labels?.[0]?.textContent || e.getAttribute('aria-label') || e.textContent;
			const style = getComputedStyle(e);
			if (style.outlineStyle === 'none') return 'no focus: ' + e.tagName;
			if (name.trim() === '') return 'no name: ' + e.tagName;
			return e.tagName + ' ' + (e.id || e.dataset.filter || '');
		})()`))
		do(ctx, t, chromedp.KeyEvent("\t"))
	}
	for _, want := range []string{"INPUT search", "SELECT account", "SELECT region", "SELECT principal", "SELECT severity", "BUTTON clear", "SUMMARY "} {
		if !slices.Contains(reached, want) {
			t.Errorf("Tab does not reach %q, but %q", want, reached)
		}
	}
	do(ctx, t, chromedp.KeyEvent("\r"))
	if n := eval[int](ctx, t, `document.querySelectorAll('#alerts details[open]').length`); n != 1 {
		t.Errorf("Enter opens %d alerts", n)
	}
}

// wantIncidentFilter wants incidents to be filtered as alerts are.
func wantIncidentFilter(ctx context.Context, t *testing.T) {
	shown := func(script string) int {
		eval[int](ctx, t, script+`, 0`)
		return eval[int](ctx, t, `[...document.querySelectorAll('#incidents ol > li')].filter((e) => e.checkVisibility()).length`)
	}
	input := `const e = document.getElementById('search'); e.dispatchEvent(new Event('input', {bubbles: true}))`
	if n := shown(`(() => { document.getElementById('search').value = 'srcdoc iframe'; ` + input + ` })()`); n != 1 {
		t.Errorf("search: %d rows", n)
	}
	all := eval[int](ctx, t, incidentRows)
	if n := shown(`document.getElementById('clear').click()`); n != all {
		t.Errorf("cleared: %d rows of %d", n, all)
	}
}
