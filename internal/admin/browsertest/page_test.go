package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// mark is what hostile text tries to set.
const mark = "window.__ran = 1"

// hostile are texts as an attacker may write them into user agents, names, codes and regions.
var hostile = []string{
	`<script>` + mark + `</script>`,
	`</script><script>` + mark + `//`,
	`"><img src=x onerror="` + mark + `">`,
	`' onmouseover='` + mark + `' autofocus onfocus='` + mark + `' x='`,
	`</title></style></template></textarea><svg onload="` + mark + `">`,
	`<iframe srcdoc="&lt;script&gt;parent.__ran = 1&lt;/script&gt;"></iframe>`,
	`<meta http-equiv="refresh" content="0;url=https://evil.example/">`,
	`<link rel="stylesheet" href="https://evil.example/x.css"><base href="https://evil.example/">`,
	`javascript:` + mark,
	`{{.}}{{constructor.constructor("` + mark + `")()}}${` + mark + `}`,
	"\u202egnp.exe\u2066\u200f\u200b\u2028\u0085\x1b[2J",
	"&lt;script&gt;" + mark + "&lt;/script&gt;&#x202e;",
	strings.Repeat("W", 20_000),
	strings.Repeat("\u0628\u0301\u05d0 ", 400),
	"\n\ndata: {\"alerts\":{\"rows\":[]}}\n\n",
}

// TestPage opens the page of a real instance in a real browser, and has hostile events come while it is open.
func TestPage(t *testing.T) {
	i := startInstance(t)
	ctx := browser(t)
	seen := watch(ctx, t)
	do(ctx, t, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(i.page))
	eventually(ctx, t, "the page is live", `document.getElementById('link').dataset.state === 'live'`)
	if n := eval[int](ctx, t, alertRows); n != 0 {
		t.Errorf("%d alerts before the first", n)
	}

	for n, text := range hostile {
		i.produce(event(n, text), `<script>`+mark+`</script> `+text)
	}
	alerts := len(hostile)
	eventually(ctx, t, "the alerts have come to the open page", fmt.Sprintf(`%s === %d`, alertRows, alerts))
	eventually(ctx, t, "the dead letters have come too", `document.querySelectorAll('.letters > li').length > 5`)
	eventually(ctx, t, "the instance is ready", `document.querySelector('header .badge').dataset.state === 'ready'`)

	t.Run("nothing runs", func(t *testing.T) { wantHarmless(ctx, t) })
	t.Run("text is text", func(t *testing.T) { wantText(ctx, t, "alerts") })
	t.Run("layout", func(t *testing.T) { wantLayout(ctx, t, "alerts") })
	t.Run("colours", func(t *testing.T) { wantColours(ctx, t) })
	t.Run("accessible", func(t *testing.T) { wantAccessible(ctx, t) })
	t.Run("filters", func(t *testing.T) { wantFilters(ctx, t, len(hostile)) })
	t.Run("keyboard", func(t *testing.T) { wantKeyboard(ctx, t) })
	t.Run("without script", func(t *testing.T) {
		wantSameWithoutScript(ctx, t, i.page, "#alerts ol", ".who-where", "[data-part=letters]", "[data-part=regions]")
	})
	t.Run("quiet", func(t *testing.T) {
		for _, what := range seen() {
			if !strings.HasPrefix(what, "request "+i.page) {
				t.Errorf("the browser has seen: %s", what)
			}
		}
	})
	t.Run("policy", func(t *testing.T) { wantPolicy(ctx, t) })
	eventually(ctx, t, "the page is live again", `document.getElementById('link').dataset.state === 'live'`)
	i.stop()
	eventually(ctx, t, "the page tells that the instance is gone", `document.getElementById('link').dataset.state === 'lost'`)
	if state := eval[string](ctx, t, `document.querySelector('header .badge').dataset.state`); state != "draining" {
		t.Errorf("the last word of the instance is %s", state)
	}
}

const alertRows = `document.querySelectorAll('#alerts ol > li').length`

// watch notes what the page writes to the console, which dialogs it opens and what it asks for.
func watch(ctx context.Context, t *testing.T) (seen func() []string) {
	t.Helper()
	notes := make(chan string, 10_000)
	err := chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			notes <- "request " + ev.Request.URL
		case *page.EventJavascriptDialogOpening:
			notes <- "dialog " + ev.Message
		case *page.EventWindowOpen:
			notes <- "window " + ev.URL
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	console := chromedp.Console(ctx)
	go func() {
		for message, err := range console {
			if err != nil {
				return
			}
			notes <- "console " + message.String()
		}
	}()
	return func() (all []string) {
		for {
			select {
			case note := <-notes:
				all = append(all, note)
			default:
				return all
			}
		}
	}
}

// wantHarmless wants none of the hostile text to have become anything but text.
func wantHarmless(ctx context.Context, t *testing.T) {
	if eval[bool](ctx, t, `'__ran' in window`) {
		t.Error("a script of an event has run")
	}
	if n := eval[int](ctx, t, `document.scripts.length`); n != 1 {
		t.Errorf("%d scripts are in the page", n)
	}
	foreign := eval[[]string](ctx, t, `(() => {
		const ours = new Set(('HTML HEAD META NOSCRIPT TITLE LINK SCRIPT BODY A HEADER H1 IMG DIV P SPAN TIME MAIN SECTION H2 H3 SVG ' +
			'POLYLINE RECT UL OL LI TEMPLATE CODE DETAILS SUMMARY B BDI DL DT DD TABLE THEAD TBODY TR TH TD FOOTER LABEL INPUT SELECT OPTION BUTTON').split(' '));
		const found = [];
		for (const e of document.querySelectorAll('*')) {
			if (!ours.has(e.tagName.toUpperCase())) found.push(e.tagName);
			for (const a of e.attributes) if (/^on|^style$|^srcdoc$/i.test(a.name)) found.push(e.tagName + ' ' + a.name);
		}
		for (const e of document.querySelectorAll('[src], [href]'))
			if (new URL(e.src || e.href).origin !== location.origin) found.push(e.outerHTML);
		return found;
	})()`)
	if len(foreign) > 0 {
		t.Errorf("foreign elements and attributes: %q", foreign)
	}
}

// wantText wants hostile text to be there to be read, and nothing of it to hide or to turn around what stands near it.
func wantText(ctx context.Context, t *testing.T, list string) {
	text := eval[string](ctx, t, `document.getElementById('`+list+`').textContent`)
	for _, want := range []string{`<script>` + mark + `</script>`, `\u202egnp.exe\u2066\u200f\u200b\u2028\u0085\x1b[2J`, `&lt;script&gt;`, `\n\ndata: {`} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if strings.ContainsAny(text, "\u202e\u2066\u200f\u200b\u2028\u0085\x1b") {
		t.Error("characters that hide or turn text are on the page")
	}
	if longest := eval[int](ctx, t, `Math.max(...[...document.querySelectorAll('bdi, code, dd')].map((e) => e.textContent.length))`); longest > 400 {
		t.Errorf("a text of %d characters is on the page", longest)
	}
	if turned := eval[int](ctx, t, `[...document.querySelectorAll('#`+list+` bdi')].filter((e) => getComputedStyle(e).unicodeBidi !== 'isolate').length`); turned > 0 {
		t.Errorf("%d texts of events are not isolated from the direction of the page", turned)
	}
}

// wantLayout wants the page to be as wide as the screen, with everything open, on a phone as on a desk.
func wantLayout(ctx context.Context, t *testing.T, list string) {
	eval[int](ctx, t, `[...document.querySelectorAll('details')].map((e) => e.open = true).length`)
	for _, width := range []int64{320, 390, 768, 1280, 1920, 2560} {
		do(ctx, t, chromedp.EmulateViewport(width, 800))
		if got := eval[int64](ctx, t, `document.documentElement.scrollWidth`); got > width {
			t.Errorf("on %d pixels the page is %d wide", width, got)
		}
		cut := eval[[]string](ctx, t, `[...document.querySelectorAll('section, summary, dd, td, .tile')]
			.filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 200))`)
		if len(cut) > 0 {
			t.Errorf("on %d pixels %d elements reach beyond the screen: %s", width, len(cut), cut[0])
		}
		if top := eval[float64](ctx, t, `document.getElementById('`+list+`').getBoundingClientRect().top + scrollY`); top > 700 {
			t.Errorf("on %d pixels the %s begin %.0f pixels down", width, list, top)
		}
		hidden := eval[[]string](ctx, t, `[...document.querySelectorAll('.tile .place, .tile code, .tile .levels')]
			.filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline').map((e) => e.textContent)`)
		if len(hidden) > 0 {
			t.Errorf("on %d pixels names are cut: %q", width, hidden)
		}
		shoot(ctx, t, fmt.Sprintf("layout-%s-%d", list, width))
	}
	do(ctx, t, chromedp.EmulateViewport(1280, 900))
}

// wantColours wants dark and light to differ, and text to stand out from what is behind it in both: by 4.5 to 1, as
// WCAG 2.2 wants it (success criterion 1.4.3).
func wantColours(ctx context.Context, t *testing.T) {
	backs := make(map[string]string)
	for _, value := range []string{"light", "dark"} {
		scheme(ctx, t, value)
		shoot(ctx, t, "colours-"+value)
		backs[value] = eval[string](ctx, t, `getComputedStyle(document.documentElement).backgroundColor`)
		faint := eval[[]string](ctx, t, `(() => {
			const parse = (color) => color.match(/[\d.]+/g).map(Number);
			const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
				.map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
				.reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
			const behind = (e) => {
				for (; e !== null; e = e.parentElement) {
					const color = parse(getComputedStyle(e).backgroundColor);
					if (color.length === 3 || color[3] === 1) return color;
				}
			};
			const found = new Set();
			for (const e of document.querySelectorAll('body *')) {
				if (!e.checkVisibility() || e.closest('svg, .unseen, .skip, .new') || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== '')) continue;
				const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
				const ratio = (a + 0.05) / (b + 0.05);
				if (ratio < 4.5) found.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2));
			}
			return [...found];
		})()`)
		if len(faint) > 0 {
			t.Errorf("%s: text that is hard to read: %q", value, faint)
		}
	}
	if backs["light"] == backs["dark"] {
		t.Errorf("light and dark are both %s", backs["light"])
	}
}

// wantSameWithoutScript wants a browser without scripts to show what the live page shows.
func wantSameWithoutScript(ctx context.Context, t *testing.T, url string, selectors ...string) {
	list, err := json.Marshal(selectors)
	if err != nil {
		t.Fatal(err)
	}
	parts := `JSON.stringify(` + string(list) + `.map((s) => document.querySelector(s).textContent.replace(/\s+/g, ' ')))`
	live := eval[string](ctx, t, parts)
	disable := func(value bool) {
		params := emulation.SetScriptExecutionDisabledParams{Value: value}
		if _, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, params); err != nil {
			t.Fatal(err)
		}
	}
	disable(true)
	do(ctx, t, chromedp.Navigate(url))
	plain := eval[string](ctx, t, parts)
	disable(false)
	var a, b []string
	if err := json.Unmarshal([]byte(live), &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(plain), &b); err != nil {
		t.Fatal(err)
	}
	for n := range a {
		if strings.TrimSpace(a[n]) != strings.TrimSpace(b[n]) {
			t.Errorf("the live page says\n%.2000s\nwithout scripts it says\n%.2000s", a[n], b[n])
		}
	}
	do(ctx, t, chromedp.Navigate(url))
	eventually(ctx, t, "the page is live again", `document.getElementById('link').dataset.state === 'live'`)
}

// wantPolicy wants the browser to refuse what would get through if the page had a hole.
func wantPolicy(ctx context.Context, t *testing.T) {
	for what, script := range map[string]string{
		"markup":           `document.body.innerHTML = '<img src=x onerror="window.__ran = 1">'`,
		"a script's text":  `document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.__ran = 1'}))`,
		"a foreign script": `document.body.append(Object.assign(document.createElement('script'), {src: 'data:text/javascript,window.__ran = 1'}))`,
	} {
		refused := eval[bool](ctx, t, `(() => { try { `+script+`; return false; } catch { return true; } })()`)
		if !refused || eval[bool](ctx, t, `'__ran' in window`) {
			t.Errorf("%s is not refused", what)
		}
	}
}

// shoot writes a picture of the whole page into the folder of BROWSERTEST_SHOTS, for people to look at.
func shoot(ctx context.Context, t *testing.T, name string) {
	t.Helper()
	dir := os.Getenv("BROWSERTEST_SHOTS")
	if dir == "" {
		return
	}
	whole := true
	shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{CaptureBeyondViewport: &whole})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), shot.Data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
