package learn

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/regionwatch/regionwatch/internal/display"
)

// Write writes the policy, with the evidence in comments.
func (d *Draft) Write(w io.Writer) error {
	core := d.core()
	root := &yaml.Node{Kind: yaml.MappingNode, HeadComment: d.head()}
	if core != 0 {
		sets := &yaml.Node{Kind: yaml.MappingNode}
		addTo(sets, "core", textList(core.codes()))
		addTo(root, "region_sets", sets)
	}
	groups, known := &yaml.Node{Kind: yaml.MappingNode}, d.groups()
	for i, l := range d.levels {
		node := levelNode(l.allowed, core)
		if i == 0 {
			node.HeadComment = fmt.Sprintf("applies to %s, and to every account not named below", display.Plural(l.accounts, "account"))
			addTo(root, "default", node)
			continue
		}
		g := known[l.allowed]
		if len(g.ous) > 0 {
			node.Content = append([]*yaml.Node{{Kind: yaml.ScalarNode, Value: "ous"}, quotedList(g.ous)}, node.Content...)
		}
		node.HeadComment = "applies to " + display.Plural(l.accounts, "account")
		groups.Content = append(groups.Content, text(g.name), node)
	}
	if len(d.levels) == 0 {
		addTo(root, "default", levelNode(0, 0))
	}
	if len(groups.Content) > 0 {
		addTo(root, "groups", groups)
	}
	out := bufio.NewWriter(w)
	if err := encode(out, root); err != nil {
		return err
	}
	if err := d.writeAccounts(out, known); err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing the policy: %w", err)
	}
	return nil
}

// encode writes a document.
func encode(w io.Writer, node *yaml.Node) error {
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(node); err != nil {
		return fmt.Errorf("encoding the policy: %w", err)
	}
	return nil
}

// writeAccounts writes the accounts, one at a time: together their evidence takes more memory than what was learned.
func (d *Draft) writeAccounts(w *bufio.Writer, groups map[regionSet]*group) error {
	if len(d.Accounts) == 0 {
		return nil
	}
	_, _ = w.WriteString("accounts:\n") // Flush returns the error
	var one bytes.Buffer
	for i := range d.Accounts {
		one.Reset()
		if err := encode(&one, d.accountNode(&d.Accounts[i], groups)); err != nil {
			return err
		}
		for line := range bytes.Lines(one.Bytes()) {
			_, _ = w.WriteString("  ")
			_, _ = w.Write(line)
		}
	}
	return nil
}

func (d *Draft) head() string {
	s := d.Skipped
	lines := []string{
		"Drafted by regionwatch policy learn from " + display.Text(d.options.Source) + ".",
		fmt.Sprintf("Review it before use: %s marked REVIEW.", display.Plural(d.Review(), "line")),
		fmt.Sprintf("Not learned from: %s without an account, %s of unknown regions, %s of global services, %s damaged, %s of too many",
			display.Plural(s.NoAccount, "event"), display.Number(s.UnknownRegion), display.Number(s.Global), display.Number(s.Damaged), display.Number(s.TooMany)),
		"accounts. Without a usable time: " + display.Number(s.NoTime) + ".",
	}
	return strings.Join(lines, "\n")
}

// core returns the regions that all levels with an allow list have in common, or none if a set of them is not worth it.
func (d *Draft) core() regionSet {
	common, lists := ^regionSet(0), 0
	for _, l := range d.levels {
		if l.allowed != 0 {
			common &= l.allowed
			lists++
		}
	}
	if lists < 2 || len(common.codes()) < 2 {
		return 0
	}
	return common
}

// levelNode is a level. One that allows nothing is a deny list of every region, because an allow list cannot be empty.
func levelNode(allowed, core regionSet) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	switch {
	case allowed == 0:
		addTo(node, "unused_regions", textList((^regionSet(0)).codes()))
		addTo(node, "exempt_global_services", &yaml.Node{Kind: yaml.ScalarNode, Value: "true"})
	case core != 0:
		list := textList((allowed &^ core).codes())
		list.Content = append([]*yaml.Node{quoted("@core")}, list.Content...)
		addTo(node, "allowed_regions", list)
	default:
		addTo(node, "allowed_regions", textList(allowed.codes()))
	}
	return node
}

// accountNode is an account, with its evidence above it.
func (d *Draft) accountNode(a *Account, groups map[regionSet]*group) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	known := d.options.Accounts[a.ID]
	if known.Name != "" {
		addTo(node, "name", quoted(known.Name))
	}
	if known.OU != "" {
		addTo(node, "ou", quoted(known.OU))
	}
	if g := groups[d.levelOf[a.ID]]; g != nil && d.unitFor(a.ID) == "" {
		addTo(node, "group", text(g.name))
	}
	key := quoted(a.ID)
	key.HeadComment = a.evidence()
	return &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{key, node}}
}

// evidence returns one line per region.
func (a *Account) evidence() string {
	lines := make([]string, 0, len(a.Regions))
	for i := range a.Regions {
		r := &a.Regions[i]
		verdict := "not listed"
		switch {
		case len(r.Reasons) > 0:
			verdict = "REVIEW (" + strings.Join(r.Reasons, ", ") + ")"
		case r.Allowed:
			verdict = "allowed"
		}
		lines = append(lines, r.Code+" "+verdict+": "+r.describe())
	}
	return strings.Join(lines, "\n")
}

func addTo(mapping *yaml.Node, key string, value *yaml.Node) {
	mapping.Content = append(mapping.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
}

func quoted(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Style: yaml.DoubleQuotedStyle, Value: text}
}

// text is quoted only if it must be.
func text(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

func quotedList(texts []string) *yaml.Node {
	list := textList(texts)
	for _, n := range list.Content {
		n.Style = yaml.DoubleQuotedStyle
	}
	return list
}

func textList(texts []string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, t := range texts {
		list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: t})
	}
	return list
}
