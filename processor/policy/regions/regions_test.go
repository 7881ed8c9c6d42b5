package regions

import (
	"strings"
	"testing"
)

func TestCatalogue(t *testing.T) {
	counts, seen := map[string]int{}, map[string]bool{}
	for i, r := range All() {
		counts[r.Partition]++
		if r.OptIn {
			counts["opt-in"]++
		}
		if seen[r.Code] || len(r.Code) > MaxCodeBytes {
			t.Errorf("%s is listed twice or too long", r.Code)
		}
		seen[r.Code] = true
		if got, ok := Lookup(r.Code); !ok || got != r {
			t.Errorf("Lookup(%q) = %v, %t", r.Code, got, ok)
		}
		if got := Index([]byte(r.Code)); got != i {
			t.Errorf("Index(%q) = %d, want %d", r.Code, got, i)
		}
		if got := Nearest(r.Code); got != r.Code {
			t.Errorf("Nearest(%q) = %q", r.Code, got)
		}
	}
	if counts["aws"] != 36 || counts["opt-in"] != 19 || len(seen) != 48 {
		t.Errorf("counts %v, %d in all", counts, len(seen))
	}
}

// A code that differs in one byte, in case or in length is another one.
func TestIndex(t *testing.T) {
	known := map[string]int{}
	for i, r := range All() {
		known[r.Code] = i
	}
	f := func(code string) {
		t.Helper()
		want, ok := known[code]
		if !ok {
			want = -1
		}
		if got := Index([]byte(code)); got != want {
			t.Errorf("Index(%q) = %d, want %d", code, got, want)
		}
	}
	for code := range known {
		f(code + "-")
		f(strings.ToUpper(code))
		for i := range code {
			f(code[:i])
			f(code[:i] + string(code[i]^1) + code[i+1:])
		}
	}
	for _, code := range []string{"", "x", strings.Repeat("us-east-1", 100)} {
		f(code)
	}
}

// A place stands for its region where only one region of a partition has it in its name.
func TestNearestPlace(t *testing.T) {
	f := func(name, want string) {
		t.Helper()
		if got := Nearest(name); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
	f("Frankfurt", "eu-central-1")
	f("São Paulo", "sa-east-1")
	f("n.virginia", "us-east-1")
	f("Virginia", "us-east-1")
	f("ASIA PACIFIC (TOKYO)", "ap-northeast-1")
	f("Hong-Kong", "ap-east-1")
	f("Ohio", "us-east-2") // and another in another partition
	f("Beijing", "cn-north-1")
	f("Central", "") // Canada, Mexico
	f("Asia Pacific", "")
	f("Frank", "")
	f("( )", "")
	f("Tokyo"+strings.Repeat(".", 2*MaxCodeBytes-len("Tokyo")), "ap-northeast-1")
	f("Tokyo"+strings.Repeat(".", 2*MaxCodeBytes-len("Tokyo")+1), "")
}

func TestLogsGlobally(t *testing.T) {
	f := func(region, source string, want bool) {
		t.Helper()
		i := Index([]byte(region))
		if got := LogsGlobally(i, []byte(source)); got != want {
			t.Errorf("%s in %s: %t", source, region, got)
		}
		if isGlobal := HasGlobal(i); isGlobal != (region != "us-east-2") {
			t.Errorf("%s: %t", region, isGlobal)
		}
	}
	f("us-east-1", "iam.amazonaws.com", true)
	f("us-east-1", "signin.amazonaws.com", true)
	f("us-gov-west-1", "sts.amazonaws.com", true)
	f("cn-north-1", "iam.amazonaws.com", true)
	f("us-east-2", "iam.amazonaws.com", false)
	f("us-east-1", "ec2.amazonaws.com", false)
	f("us-east-1", "", false)
}
