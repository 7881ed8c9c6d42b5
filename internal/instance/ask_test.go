package instance

import "testing"

func TestAskAt(t *testing.T) {
	f := func(listens, want string) {
		t.Helper()
		if got, err := askAt(listens); err != nil || got != want {
			t.Errorf("askAt(%s) = %s, %v; want %s", listens, got, err, want)
		}
	}
	f("127.0.0.1:9464", "127.0.0.1:9464")
	f("0.0.0.0:9464", "127.0.0.1:9464")
	f(":9464", "127.0.0.1:9464")
	f("[::]:80", "[::1]:80")
	f("[fe80::1]:80", "[fe80::1]:80")
	f("pod-0.regionwatch:9464", "pod-0.regionwatch:9464")
}
