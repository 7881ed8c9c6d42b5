package memory

import (
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// smaps is what proc_pid_smaps(5) shows, shortened.
const smaps = `00400000-014b0000 r-xp 00000000 fe:00 9995041 /opt/region watch/bin
Size:              17088 kB
Rss:                9000 kB
Anonymous:             0 kB
VmFlags: rd ex mr mw me
014b0000-024b0000 r--p 010b0000 fe:00 9995041 /opt/region watch/bin
Rss:                 100 kB
Anonymous:             4 kB
024b0000-02500000 rw-p 020b0000 fe:00 9995041 /opt/region watch/bin
Rss:                 100 kB
Anonymous:             0 kB
7f0000000000-fffffffffffff000 r--p 00000000 fe:00 9995041 /opt/region watch/bin
Rss:                   8 kB
Anonymous:             0 kB
c000000000-c000400000 r--p 00000000 00:00 0
Rss:                 300 kB
Anonymous:             0 kB
7f1000000000-7f1000001000 r--p 00000000 fe:00 1234 /lib/other
Rss:                   4 kB
Anonymous:             0 kB
`

// Only the program's own pages that nothing has written to are given up: a page that was would lose what it holds.
func TestMappings(t *testing.T) {
	want := []mapping{{0x400000, 0x14b0000, 9000}, {0x7f0000000000, 0xfffffffffffff000, 8}}
	if got := mappingsIn(strings.NewReader(smaps), "/opt/region watch/bin"); !slices.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

// Reading the mappings leaves no file open.
func TestMappingsAreClosed(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // garbage collection would close forgotten files
	open := func() int {
		t.Helper()
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc")
		}
		return len(files)
	}
	fileMappings() // the first file that a process opens has it open a poller for good
	before := open()
	fileMappings()
	if after := open(); after > before {
		t.Errorf("%d files were open before, %d are after", before, after)
	}
}

// Pages of the program's file that are not in use leave the process.
//
// Guard: releaseFile.
func TestReleaseFile(t *testing.T) {
	resident := func() (sum int) {
		for _, m := range fileMappings() {
			sum += m.resident
		}
		return sum
	}
	before := resident()
	releaseFile()
	if after := resident(); after >= before {
		t.Errorf("%d KiB before, %d after", before, after)
	}
}
