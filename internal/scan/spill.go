package scan

import (
	"fmt"
	"io"
	"os"
)

// maxAlertBytes is how many bytes of alerts a chunk keeps in memory until its turn to be written comes. A value of many
// events that all match has alerts many times its own size; what is beyond goes to a file. Waiting for the turn
// instead could wait for ever: the chunks before it may need this worker.
const maxAlertBytes = 16 << 20

// maxFindings is how many findings a chunk keeps before it counts them.
const maxFindings = 4096

// keepLess makes room for more alerts and findings where there are many.
func (c *chunk) keepLess() {
	if len(c.findings) >= maxFindings {
		c.tally.add(c.findings)
		c.findings = c.findings[:0]
	}
	if len(c.alerts) >= maxAlertBytes && c.err == nil {
		c.err = c.spill()
	}
}

// spill moves the alerts that are in memory to the end of the file.
func (c *chunk) spill() error {
	if c.spilled == nil {
		file, err := os.CreateTemp("", "regionwatch-scan-*.alerts")
		if err != nil {
			return fmt.Errorf("keeping alerts: %w", err)
		}
		// Where the system lets open files lose their names, nothing is left behind whatever happens.
		if os.Remove(file.Name()) != nil {
			c.spillName = file.Name()
		}
		c.spilled = file
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

// endSpill lets go of the file. Nothing in it is needed any more, so that faults do not matter.
func (c *chunk) endSpill() {
	if c.spilled == nil {
		return
	}
	_ = c.spilled.Close()
	if c.spillName != "" {
		_ = os.Remove(c.spillName)
	}
	c.spilled = nil
}
