package setup

import (
	"errors"
	"strings"

	"github.com/regionwatch/regionwatch/config"
	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/live"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
)

// Policy compiles the policy from the file that the settings name, or else from the settings themselves. Each line of the
// error names the setting at fault, or the place in the file. On an error there is no policy, but the file still lists
// which files were read.
func Policy(s *config.Settings) (live.Loaded, error) {
	keys, err := PolicyKeys(s)
	if err != nil {
		return live.Loaded{}, err
	}
	if s.Policy != "" {
		p, err := live.LoadFile(s.Policy, keys)
		if err != nil {
			return p, blameFile(s, err)
		}
		return p, nil
	}
	p, err := policy.Compile(policy.Options{
		Version: s.PolicyVersion,
		Default: policy.Level{UnusedRegions: s.UnusedRegions, AlertOnMissingReadOnly: s.AlertOnMissingReadOnly},
	})
	if err != nil {
		return live.Loaded{}, s.Blame("unused-regions", err)
	}
	return live.Loaded{Policy: p}, nil
}

// PolicyKeys reads the keys that policies must be signed with. nil means that no signature is required.
func PolicyKeys(s *config.Settings) (live.Keys, error) {
	if s.PolicyKey == "" {
		return nil, nil
	}
	keys, err := live.ReadKeys(s.PolicyKey)
	if err != nil {
		return nil, s.Blame("policy-key", err)
	}
	return keys, nil
}

// blameFile names the setting if its file cannot be read at all. Mistakes inside the file have their own place.
func blameFile(s *config.Settings, err error) error {
	var faults policyfile.Faults
	if errors.As(err, &faults) && len(faults) == 1 && faults[0].File == s.Policy && faults[0].Line == 0 {
		return s.Blame("policy", err)
	}
	return err
}

// PolicyOrigin describes where the policy comes from.
func PolicyOrigin(s *config.Settings) string {
	switch {
	case s.Policy != "":
		return "file " + s.Policy
	case s.PolicyTopic != "":
		return "topic " + s.PolicyTopic
	}
	return "unused regions " + strings.Join(s.UnusedRegions, ", ")
}
