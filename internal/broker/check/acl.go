package check

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ACL is one entry of an access control list: that a principal may do something, from anywhere. Operations imply
// Describe, as Kafka has it for Read and Write.
type ACL struct {
	Operation kmsg.ACLOperation
	Resource  kmsg.ACLResourceType
	Name      string // of the resource; "*" is all of them
	Prefixed  bool   // the name is how those of the resources begin
}

// Operations and kinds of resources as kafka-acls takes them.
var (
	operationWords = map[kmsg.ACLOperation]string{
		kmsg.ACLOperationRead:            "Read",
		kmsg.ACLOperationWrite:           "Write",
		kmsg.ACLOperationDescribe:        "Describe",
		kmsg.ACLOperationCreate:          "Create",
		kmsg.ACLOperationIdempotentWrite: "IdempotentWrite",
	}
	resourceFlags = map[kmsg.ACLResourceType]string{
		kmsg.ACLResourceTypeTopic:           "--topic",
		kmsg.ACLResourceTypeGroup:           "--group",
		kmsg.ACLResourceTypeTransactionalId: "--transactional-id",
		kmsg.ACLResourceTypeCluster:         "--cluster",
	}
)

// covers reports whether the entry lets its principal do this to the resource of that name.
func (a ACL) covers(operation kmsg.ACLOperation, resource kmsg.ACLResourceType, name string) bool {
	if a.Operation != operation || a.Resource != resource {
		return false
	}
	return a.Name == name || a.Name == "*" && !a.Prefixed || a.Prefixed && strings.HasPrefix(name, a.Name)
}

// command returns the line that adds the entry.
func (o *Options) command(a ACL) string {
	words := []string{"kafka-acls", "--bootstrap-server", o.Connection.Addresses()[0]}
	if o.Connection.Secured() || o.Connection.Mechanism() != "" {
		words = append(words, "--command-config", "admin.properties")
	}
	words = append(words, "--add", "--allow-principal", o.principal(), "--operation", operationWords[a.Operation], resourceFlags[a.Resource])
	if a.Resource != kmsg.ACLResourceTypeCluster {
		words = append(words, a.Name)
	}
	if a.Prefixed {
		words = append(words, "--resource-pattern-type", "prefixed")
	}
	for i, word := range words {
		words[i] = quote(word)
	}
	return strings.Join(words, " ")
}

// quote returns a word as a shell takes it.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-:/,@+=", r)
	}
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Entry is an ACL with the words that people and programs use for it.
type Entry struct {
	Principal string `json:"principal"`
	Operation string `json:"operation"`
	Resource  string `json:"resource"` // as Kafka's protocol writes it, such as TRANSACTIONAL_ID
	Name      string `json:"name"`
	Pattern   string `json:"pattern"` // LITERAL or PREFIXED
	Command   string `json:"command"` // the line that adds it
}

// Entries returns the least access control list that the options need, in a fixed order and each entry once. With it
// the brokers refuse nothing of what the processor cannot do without.
func (o *Options) Entries() []Entry { return o.entries(o.needed()) }

func (o *Options) entries(list []ACL) []Entry {
	entries := make([]Entry, len(list))
	for i, a := range list {
		pattern := kmsg.ACLResourcePatternTypeLiteral
		if a.Prefixed {
			pattern = kmsg.ACLResourcePatternTypePrefixed
		}
		entries[i] = Entry{o.principal(), operationWords[a.Operation], a.Resource.String(), a.Name, pattern.String(), o.command(a)}
	}
	return entries
}

// needed returns the least list. Kafka 4.3.1 asks nobody for IdempotentWrite on the cluster who may write to a topic;
// brokers older than 2.8 do (Kafka's commit 76d7e811af83 says so).
func (o *Options) needed() (list []ACL) {
	add := func(operation kmsg.ACLOperation, resource kmsg.ACLResourceType, name string, prefixed bool) {
		if a := (ACL{operation, resource, name, prefixed}); !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	const topic = kmsg.ACLResourceTypeTopic
	for _, a := range o.ofInput(kmsg.ACLOperationRead) {
		add(a.Operation, topic, a.Name, a.Prefixed)
	}
	add(kmsg.ACLOperationRead, kmsg.ACLResourceTypeGroup, o.Group, false)
	for _, output := range o.Outputs {
		add(kmsg.ACLOperationWrite, topic, output.Topic, false)
	}
	if o.CreateTopics {
		for _, name := range o.namedTopics() {
			add(kmsg.ACLOperationCreate, topic, name, false)
		}
	}
	if o.ExactlyOnce {
		for _, id := range o.transactionalIDs() {
			add(kmsg.ACLOperationWrite, kmsg.ACLResourceTypeTransactionalId, id.text, !id.whole)
		}
	}
	if o.PolicyTopic != "" {
		add(kmsg.ACLOperationRead, topic, o.PolicyTopic, false)
	}
	return list
}

// ofInput returns what lets the input topics be read, written to or described.
func (o *Options) ofInput(operation kmsg.ACLOperation) (list []ACL) {
	for _, name := range o.InputTopics {
		list = append(list, ACL{Operation: operation, Resource: kmsg.ACLResourceTypeTopic, Name: name})
	}
	for _, beginning := range beginnings(o.InputPattern) {
		a := ACL{operation, kmsg.ACLResourceTypeTopic, beginning.text, !beginning.whole}
		if beginning.text == "" && !beginning.whole {
			a.Name, a.Prefixed = "*", false
		}
		list = append(list, a)
	}
	return list
}

// transactionalIDs returns the ids of the processor's sessions, or how they begin: it makes them of the group, the
// instance's name and the session's number.
func (o *Options) transactionalIDs() (ids []beginning) {
	switch {
	case o.InstanceID == "":
		return []beginning{{o.Group + "-", false}}
	case o.Sessions == 0:
		return []beginning{{o.Group + "-" + o.InstanceID + "-", false}}
	}
	for k := range o.Sessions {
		ids = append(ids, beginning{o.sessionID(k), true})
	}
	return ids
}
