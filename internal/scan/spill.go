package scan

import (
	"fmt"
	"io"
	"os"
)

// maxAlertBytes bounds the alerts a chunk keeps in memory until it is written; the rest go to a file. A value with many
// matching events can have alerts many times its own size. Waiting instead could deadlock, because earlier chunks may
// need this worker.
const maxAlertBytes = 16 << 20

// maxFindings bounds the findings a chunk keeps before it counts them.
const maxFindings = 4096

// keepLess frees memory if the chunk has many alerts or findings.
func (w *worker) keepLess(c *chunk) {
	if len(c.findings) >= maxFindings {
		c.tally.add(c.findings)
		c.findings = c.findings[:0]
	}
	if len(c.alerts) >= maxAlertBytes && c.err == nil {
		c.err = w.spill(c)
	}
}

// spillFile holds alerts of a chunk until they are written. It belongs to the chunk's worker, then to the writer.
type spillFile struct {
	*os.File
	named bool // the system does not allow removing an open file
}

// end closes and removes the file. Its content is no longer needed, so errors do not matter.
func (f *spillFile) end() {
	if f.Close() == nil && f.named {
		_ = os.Remove(f.Name())
	}
}

// spill appends the alerts in memory to the file.
func (w *worker) spill(c *chunk) error {
	if c.spilled == nil {
		file, err := os.CreateTemp("", "regionwatch-scan-*.alerts")
		if err != nil {
			return fmt.Errorf("keeping alerts: %w", err)
		}
		// An unlinked file disappears when the process ends, however that happens.
		c.spilled = &spillFile{File: file, named: os.Remove(file.Name()) != nil}
		w.spills = append(w.spills, c.spilled)
	}
	if _, err := c.spilled.Write(c.alerts); err != nil {
		return fmt.Errorf("keeping alerts: %w", err)
	}
	c.alerts = c.alerts[:0]
	return nil
}

// writeAlerts writes all alerts of the chunk, in order.
func (c *chunk) writeAlerts(w io.Writer) error {
	if c.err != nil {
		return c.err
	}
	if c.spilled != nil {
		if _, err := c.spilled.Seek(0, io.SeekStart); err != nil {
			return fmt.Errorf("reading kept alerts: %w", err)
		}
		if _, err := io.Copy(w, c.spilled); err != nil {
			return fmt.Errorf("writing alerts: %w", err)
		}
	}
	if _, err := w.Write(c.alerts); err != nil {
		return fmt.Errorf("writing alerts: %w", err)
	}
	return nil
}
