package memory

import "testing"

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
