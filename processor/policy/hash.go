package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// contentHash identifies a policy by its content: the same content has the same hash in every process and release,
// whatever the order of regions, groups and accounts. The order of exceptions counts, because the first that applies is
// named.
func contentHash(o *Options, c *checker) string {
	h := sha256.New()
	writeLevel(h, &o.Default)
	if o.Shadow {
		fmt.Fprintf(h, "shadow\n")
	}
	for _, name := range slices.Sorted(maps.Keys(c.groups)) {
		g := c.groups[name]
		if g.Level != nil {
			fmt.Fprintf(h, "group %q\n", name)
			writeLevel(h, g.Level)
		}
		if len(g.OUs)+len(g.Tags) > 0 {
			fmt.Fprintf(h, "group %q has %q %q\n", name, slices.Sorted(slices.Values(g.OUs)), g.Tags) // sorts the tags
		}
	}
	for _, id := range slices.Sorted(maps.Keys(c.groupOf)) {
		fmt.Fprintf(h, "account %s in group %q\n", id, c.groupOf[id])
	}
	for _, id := range slices.Sorted(maps.Keys(c.accounts)) {
		a := c.accounts[id]
		fmt.Fprintf(h, "account %s %s\n", id, encodeFacts(a, ""))
		if a.Level != nil {
			writeLevel(h, a.Level)
		}
	}
	for i := range o.Exceptions {
		text, err := json.Marshal(&o.Exceptions[i])
		if err != nil {
			panic("BUG: encoding an exception: " + err.Error()) // an expiry beyond the year 9999, which is checked
		}
		fmt.Fprintf(h, "exception %s\n", text)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)[:6])
}

// writeLevel writes what a level changes from the defaults.
func writeLevel(w io.Writer, l *Level) {
	key := "unused_regions"
	if len(l.AllowedRegions) > 0 {
		key = "allowed_regions"
	}
	regions := slices.Sorted(slices.Values(l.Regions()))
	fmt.Fprintf(w, "%s %q\nalert on missing readOnly %t\n", key, slices.Compact(regions), l.AlertOnMissingReadOnly)
	if l.ExemptGlobalServices != nil {
		fmt.Fprintf(w, "exempt global services %t\n", *l.ExemptGlobalServices)
	}
	if more := strings.Trim(l.Severity+"/"+l.FailedSeverity, "/"); more != "" {
		fmt.Fprintf(w, "severity %s/%s\n", l.Severity, l.FailedSeverity)
	}
	if l.Shadow {
		fmt.Fprintf(w, "shadow level\n")
	}
	l.Incidents.write(w)
}
