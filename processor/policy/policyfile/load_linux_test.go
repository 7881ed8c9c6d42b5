package policyfile

import (
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// A policy whose folder of accounts cannot be read is refused: without its accounts, their events would be decided by the
// default level.
//
// Guard: the error of ReadDir in accountFolder.
func TestUnreadableFolder(t *testing.T) {
	t.Chdir(t.TempDir()) // relative names work for any user, whatever is above
	if err := os.WriteFile("policy.yaml", []byte("default: {unused_regions: [ap-east-1]}\naccounts_from: [accounts]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("accounts", 0o111); err != nil { // it can be entered and not read
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // who may read everything: to the file system this thread becomes somebody else
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = syscall.Setfsuid(0) }()
	}
	if _, err := Load("policy.yaml", nil); err == nil || !strings.Contains(err.Error(), `policy.yaml:2:17: "accounts": permission denied`) {
		t.Errorf("%v", err)
	}
}
