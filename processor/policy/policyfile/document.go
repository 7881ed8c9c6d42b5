package policyfile

import (
	"go.yaml.in/yaml/v4"

	"github.com/regionwatch/regionwatch/processor/policy"
)

// documentFields are the keys of the policy file. It is a function because its fields read mappings themselves.
func documentFields() []field[reader] {
	return []field[reader]{
		textField("version", "Stamped on every alert; without it a hash of the content is.", textSchema,
			func(r *reader) *string { return &r.options.Version }),
		{
			"mode", "shadow: no level alerts, findings are marked, counted, and written to the shadow topic.",
			choiceSchema("alert", "shadow"), func(r *reader, n *yaml.Node, _ *reader) {
				r.options.Shadow = r.choice(n, "alert", "shadow") == "shadow"
			},
		},
		{
			"region_sets", "Lists of regions by name. A list of regions takes one in by \"@NAME\".",
			mapSchema(nil, schema{"type": "array", "items": regionSchema, "minItems": 1}), func(*reader, *yaml.Node, *reader) {},
		},
		{
			"default", "Applies to every account that has no level itself and is in no group with one.",
			mappingSchema(levelFields), func(r *reader, n *yaml.Node, _ *reader) {
				r.enter(policy.PartDefault, 0, n)
				readMapping(r, n, "default", levelFields, &r.options.Default)
			},
		},
		{
			"groups", "Groups of accounts, by name.",
			mapSchema(nil, mappingSchema(groupFields)), func(r *reader, n *yaml.Node, _ *reader) { r.groups(n) },
		},
		{
			"accounts", "Accounts, by id.",
			mapSchema(accountIDSchema, mappingSchema(accountFields)), func(r *reader, n *yaml.Node, _ *reader) { r.accounts(n) },
		},
		{
			"accounts_from", "Files of accounts, beside this one: .yaml with accounts by id, .csv with account,name,owner,environment,ou,tags,group, or folders of such files.",
			schema{"type": "array", "items": textSchema, "minItems": 1}, func(r *reader, n *yaml.Node, _ *reader) { r.accountsFrom(n) },
		},
		{
			"exceptions", "What is exempt, and until when. Each key that is given must match, by one of its entries.",
			schema{"type": "array", "items": mappingSchema(exceptionFields)}, func(r *reader, n *yaml.Node, _ *reader) { r.exceptions(n) },
		},
	}
}

// document reads the policy itself.
func (r *reader) document(source []byte) {
	root := r.parse(source)
	if root == nil {
		return
	}
	r.regionSets(root)
	readMapping(r, root, "a policy", documentFields(), r)
}

func (r *reader) groups(n *yaml.Node) {
	r.eachEntry(n, "groups by name", func(key, value *yaml.Node) {
		r.enter(policy.PartGroup, len(r.options.Groups), key)
		g := group{Group: policy.Group{Name: r.text(key)}}
		readMapping(r, value, "a group", groupFields, &g)
		if g.hasLevel {
			g.Level = &g.level
		}
		r.options.Groups = append(r.options.Groups, g.Group)
	})
}

func (r *reader) accounts(n *yaml.Node) {
	r.eachEntry(n, "accounts by id", func(key, value *yaml.Node) {
		r.enter(policy.PartAccount, len(r.options.Accounts), key)
		a := account{Account: policy.Account{ID: r.text(key)}}
		readMapping(r, value, "an account", accountFields, &a)
		if a.hasLevel {
			a.Level = &a.level
		}
		r.options.Accounts = append(r.options.Accounts, a.Account)
	})
}

// eachEntry goes through a mapping whose keys are names. Compiling finds duplicate names.
func (r *reader) eachEntry(n *yaml.Node, what string, do func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		r.fault(n, "want %s%s", what, isNot(n))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		do(n.Content[i], n.Content[i+1])
	}
}

func (r *reader) accountsFrom(n *yaml.Node) {
	own := r.file
	for i, name := range r.texts("accounts_from", n) {
		if name != "" {
			r.accountFiles(position{own, n.Content[i].Line, n.Content[i].Column}, name)
		}
	}
	r.file = own
}

func (r *reader) exceptions(n *yaml.Node) {
	if n.Kind != yaml.SequenceNode {
		r.fault(n, "want a list of exceptions, each with a dash before its first key%s", isNot(n))
		return
	}
	for i, item := range n.Content {
		r.enter(policy.PartException, i, item)
		var x policy.Exception
		readMapping(r, item, "an exception", exceptionFields, &x)
		r.options.Exceptions = append(r.options.Exceptions, x)
	}
}
