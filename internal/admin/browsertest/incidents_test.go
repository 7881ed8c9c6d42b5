package browsertest

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const incidentRows = `document.querySelectorAll('#incidents ol > li').length`

// TestIncidentsPage opens the page of an instance that groups alerts, and has alerts of hostile events come while it is open.
func TestIncidentsPage(t *testing.T) {
	one := startInstance(t)
	two := one.stageTwo()
	ctx := browser(t)
	seen := watch(ctx, t)
	do(ctx, t, chromedp.EmulateViewport(1280, 900), chromedp.Navigate(two.page))
	eventually(ctx, t, "the page is live", `document.getElementById('link').dataset.state === 'live'`)
	if n := eval[int](ctx, t, incidentRows); n != 0 {
		t.Errorf("%d incidents before the first alert", n)
	}
	for n, text := range hostile {
		one.produce(event(n, text))
	}
	one.produce(event(1000, hostile[0])) // a second alert for the first incident
	eventually(ctx, t, "the incidents have come to the open page", fmt.Sprintf(`%s === %d`, incidentRows, len(hostile)))
	eventually(ctx, t, "the second alert counts", `document.getElementById('incidents').textContent.includes('2 alerts')`)

	t.Run("nothing runs", func(t *testing.T) { wantHarmless(ctx, t) })
	t.Run("text is text", func(t *testing.T) { wantText(ctx, t, "incidents") })
	t.Run("layout", func(t *testing.T) { wantLayout(ctx, t, "incidents") })
	t.Run("colours", func(t *testing.T) { wantColours(ctx, t) })
	t.Run("accessible", func(t *testing.T) { wantAccessible(ctx, t) })
	t.Run("filters", func(t *testing.T) { wantIncidentFilter(ctx, t) })
	t.Run("without script", func(t *testing.T) { wantSameWithoutScript(ctx, t, two.page, "#incidents ol", "[data-part=letters]") })
	t.Run("quiet", func(t *testing.T) {
		for _, what := range seen() {
			if !strings.HasPrefix(what, "request "+two.page) {
				t.Errorf("the browser has seen: %s", what)
			}
		}
	})
	t.Run("policy", func(t *testing.T) { wantPolicy(ctx, t) })
	two.stop()
	eventually(ctx, t, "the page tells that the instance is gone", `document.getElementById('link').dataset.state === 'lost'`)
}
