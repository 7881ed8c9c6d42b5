package policy

import "slices"

// scopes tells which exceptions cover an account. Accounts that no exception names share the sets of their group.
type scopes struct {
	o         *Options
	everyone  exceptionSet
	byGroup   map[string]exceptionSet // for accounts of the group, including those for everyone
	byAccount map[string][]int        // exceptions that name the account
}

func newScopes(o *Options) *scopes {
	s := &scopes{o: o, byGroup: make(map[string]exceptionSet), byAccount: make(map[string][]int)}
	s.everyone = newExceptionSet(len(o.Exceptions))
	for i := range o.Exceptions {
		x := &o.Exceptions[i]
		for _, id := range x.Accounts {
			s.byAccount[id] = append(s.byAccount[id], i)
		}
		if len(x.Accounts)+len(x.Groups) == 0 {
			s.everyone.set(i)
		}
	}
	for i := range o.Exceptions {
		x := &o.Exceptions[i]
		for _, g := range x.Groups {
			if s.byGroup[g] == nil {
				s.byGroup[g] = append(exceptionSet(nil), s.everyone...)
			}
			if len(x.Accounts) == 0 {
				s.byGroup[g].set(i)
			}
		}
	}
	return s
}

// of returns the exceptions that cover an account of a group, either of which may be empty.
func (s *scopes) of(id, group string) exceptionSet {
	set := s.everyone
	if g, ok := s.byGroup[group]; ok && group != "" {
		set = g
	}
	own := s.byAccount[id]
	if len(own) == 0 {
		return set
	}
	set = append(exceptionSet(nil), set...)
	for _, i := range own {
		if x := &s.o.Exceptions[i]; len(x.Groups) == 0 || slices.Contains(x.Groups, group) {
			set.set(i)
		}
	}
	return set
}
