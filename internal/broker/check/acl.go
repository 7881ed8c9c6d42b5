package check

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ACL is one entry of an access control list. It allows a principal an operation from any host. As in Kafka, Read, Write
// and Delete imply Describe.
type ACL struct {
	Operation kmsg.ACLOperation
	Resource  kmsg.ACLResourceType
	Name      string // name of the resource; "*" means all
	Prefixed  bool   // Name is a prefix
}

// Operations and resource types, as kafka-acls names them.
var (
	operationWords = map[kmsg.ACLOperation]string{
		kmsg.ACLOperationRead:            "Read",
		kmsg.ACLOperationWrite:           "Write",
		kmsg.ACLOperationDescribe:        "Describe",
		kmsg.ACLOperationCreate:          "Create",
		kmsg.ACLOperationDelete:          "Delete",
		kmsg.ACLOperationIdempotentWrite: "IdempotentWrite",
	}
	resourceFlags = map[kmsg.ACLResourceType]string{
		kmsg.ACLResourceTypeTopic:           "--topic",
		kmsg.ACLResourceTypeGroup:           "--group",
		kmsg.ACLResourceTypeTransactionalId: "--transactional-id",
		kmsg.ACLResourceTypeCluster:         "--cluster",
	}
)

// covers reports whether the entry allows its principal the operation on the named resource.
func (a ACL) covers(operation kmsg.ACLOperation, resource kmsg.ACLResourceType, name string) bool {
	if a.Operation != operation || a.Resource != resource {
		return false
	}
	return a.Name == name || a.Name == "*" && !a.Prefixed || a.Prefixed && strings.HasPrefix(name, a.Name)
}

// line returns the kafka-acls command that adds the entry.
func (o *Options) line(a ACL) string {
	words := append([]string{"kafka-acls"}, o.reaching()...)
	words = append(words, "--add", "--allow-principal", o.principal(), "--operation", operationWords[a.Operation], resourceFlags[a.Resource])
	if a.Resource != kmsg.ACLResourceTypeCluster {
		words = append(words, a.Name)
	}
	if a.Prefixed {
		words = append(words, "--resource-pattern-type", "prefixed")
	}
	return shell(words)
}

// quote quotes a word for a shell.
func quote(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-:/,@+=", r)
	}
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// Entry is an ACL in the form used in output.
type Entry struct {
	Principal string `json:"principal"`
	Operation string `json:"operation"`
	Resource  string `json:"resource"` // Kafka's protocol name, such as TRANSACTIONAL_ID
	Name      string `json:"name"`
	Pattern   string `json:"pattern"`       // LITERAL or PREFIXED
	Command   string `json:"command"`       // the command that adds it
	For       string `json:"for,omitempty"` // the command of regionwatch that needs it
}

// Entries returns the minimal access control list for the options, in a fixed order without duplicates. With it, the
// brokers allow everything the processor requires.
func (o *Options) Entries() []Entry { return o.entries(o.needed()) }

func (o *Options) entries(list []ACL) []Entry {
	entries := make([]Entry, len(list))
	for i, a := range list {
		pattern := kmsg.ACLResourcePatternTypeLiteral
		if a.Prefixed {
			pattern = kmsg.ACLResourcePatternTypePrefixed
		}
		entries[i] = Entry{
			Principal: o.principal(), Operation: operationWords[a.Operation], Resource: a.Resource.String(), Name: a.Name,
			Pattern: pattern.String(), Command: o.line(a),
		}
	}
	return entries
}

// needed returns the minimal list. Kafka 4.3.1 does not require IdempotentWrite on the cluster from clients that may
// write to a topic; brokers older than 2.8 do (see Kafka's commit 76d7e811af83).
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
	if o.StateTopic != "" {
		add(kmsg.ACLOperationRead, topic, o.StateTopic, false)
		add(kmsg.ACLOperationWrite, topic, o.StateTopic, false)
	}
	if o.CreateTopics {
		for _, name := range o.namedTopics() {
			add(kmsg.ACLOperationCreate, topic, name, false)
		}
	}
	if o.exactlyOnce() {
		for _, id := range o.transactionalIDs() {
			add(kmsg.ACLOperationWrite, kmsg.ACLResourceTypeTransactionalId, id.text, !id.whole)
		}
	}
	if o.PolicyTopic != "" {
		add(kmsg.ACLOperationRead, topic, o.PolicyTopic, false)
	}
	return list
}

// ofInput returns the entries that allow the operation on the input topics.
func (o *Options) ofInput(operation kmsg.ACLOperation) (list []ACL) {
	for _, name := range o.named() {
		list = append(list, ACL{Operation: operation, Resource: kmsg.ACLResourceTypeTopic, Name: name})
	}
	for _, beginning := range beginnings(o.pattern()) {
		a := ACL{operation, kmsg.ACLResourceTypeTopic, beginning.text, !beginning.whole}
		if beginning.text == "" && !beginning.whole {
			a.Name, a.Prefixed = "*", false
		}
		list = append(list, a)
	}
	return list
}

// transactionalIDs returns the IDs of the processor's sessions, or their prefixes. The processor builds them from the
// group, the instance name and the session number.
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
