package salvage

import (
	"strings"
	"testing"

	"github.com/regionwatch/regionwatch/schema/jsonscan"
)

// noted returns what a run remembers: R for its regions, W for a readOnly of false.
func (r *Run) noted() string {
	var s strings.Builder
	for i := range r.Regions.Len() {
		s.WriteString(r.Regions.At(i).Text() + " ")
	}
	if r.Write {
		s.WriteString("write ")
	}
	if r.IsOpen {
		s.WriteString("open")
	}
	return strings.TrimSpace(s.String())
}

// isKnown knows one region.
func isKnown(code []byte) bool { return string(code) == "eu-west-3" }

// A run gathers the pieces of an event from the damage on: of damaged pieces, and of whole objects that may be half of it.
func TestRun(t *testing.T) {
	region, write := jsonscan.Value(`"us-east-1"`), jsonscan.Value(`false`)
	f := func(want string, steps ...func(r *Run)) {
		t.Helper()
		var r Run
		for _, step := range steps {
			step(&r)
		}
		if got := r.noted(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if has := strings.Contains(want, "-") && strings.Contains(want, "write open"); r.HasEvent() != has {
			t.Errorf("%q: an event is %t", want, r.HasEvent())
		}
		if r.IsUnused() != (want == "") {
			t.Errorf("%q: unused is %t", want, r.IsUnused())
		}
		if r.Reset(); !r.IsUnused() || r.after != 0 || r.noted() != "" {
			t.Errorf("%q: %q is left", want, r.noted())
		}
	}
	damaged := func(r *Run) { r.Damaged(1) }
	piece := func(r *Run) {
		var others Regions
		others.Add([]byte(`"eu-west-3"`), isKnown)
		others.Add([]byte(`"us-west-2"`), isKnown)
		r.Add(region, &others, isKnown)
	}
	whole := func(size int, region, readOnly jsonscan.Value) func(*Run) {
		return func(r *Run) { r.Whole(size, region, readOnly, isKnown) }
	}
	f("")
	f("open", damaged)
	f("eu-west-3 us-east-1 us-west-2", piece)
	f("eu-west-3 us-east-1 us-west-2 open", damaged, piece)
	f("us-east-1 open", damaged, whole(1, region, nil))
	f("us-east-1", whole(1, region, nil)) // the first half may be whole, and the damage in the second
	f("us-east-1", whole(1, jsonscan.Value(`"us-west-2"`), nil), whole(1, region, nil))
	f("write", whole(1, nil, write))
	f("", whole(1, nil, jsonscan.Value(`true`)))
	f("write open", damaged, whole(1, nil, write))
	f("write open", damaged, whole(1, jsonscan.Value(`7`), write)) // no region
	f("open", damaged, whole(1, nil, jsonscan.Value(`true`)))
	f("open", damaged, whole(1, region, write)) // an event of its own
	f("us-east-1 write open", damaged, whole(1, region, nil), whole(1, nil, write))
	f("us-east-1 write open", damaged, whole(maxEventText-1, region, nil), whole(1, nil, write))
	f("write", damaged, whole(maxEventText-1, region, nil), whole(2, nil, write)) // too far behind the damage
	f("us-east-1 write open", damaged, whole(maxEventText, region, nil), damaged, whole(maxEventText, nil, write))
	f("us-east-1", whole(1, nil, write), whole(1, region, nil)) // before the damage only the last one counts
	half := func(text string, h Half) func(*Run) { return func(r *Run) { r.Half([]byte(text), h, isKnown) } }
	const text = ` "us-east-1" false true`
	f("", half(`"us-east-1"`, Half{}), half(`false`, Half{})) // where the object starts stands no value
	f("write", half(` false`, Half{readOnly: 1}))
	f("us-east-1", half(text, Half{region: 1}))
	f("write", half(text, Half{readOnly: 13}))
	f("", half(text, Half{readOnly: 19}))
	f("write", half(text, Half{readOnly: 13}), half(text, Half{readOnly: 19}))
	f("us-east-1 write open", damaged, half(text, Half{1, 13}))
}

// The depth of the damage is that of its outermost layer.
func TestRunDepth(t *testing.T) {
	var r Run
	for _, step := range []struct{ damaged, want int }{{2, 2}, {3, 2}, {2, 2}, {1, 1}, {2, 1}} {
		if r.Damaged(step.damaged); r.Depth != step.want {
			t.Errorf("damage in layer %d: %d, want %d", step.damaged, r.Depth, step.want)
		}
	}
	if r.Reset(); r.IsOpen {
		t.Error("it is still open")
	}
	if r.Damaged(5); r.Depth != 5 {
		t.Errorf("after a reset: %d", r.Depth)
	}
}

// The two keys are told apart, and from all others.
func TestHalfKeys(t *testing.T) {
	for key, want := range map[string]Half{`"awsRegion"`: {region: 7}, `"readOnly"`: {readOnly: 7}, `"eventName"`: {}} {
		var h Half
		if h.Set([]byte(key), 7); h != want {
			t.Errorf("%s: %+v", key, h)
		}
		if IsHalfKey([]byte(key)) != (want != Half{}) {
			t.Errorf("%s is %t", key, IsHalfKey([]byte(key)))
		}
	}
}
