package alert

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// ocsfFacts are the objects that a finding is made of, as OCSF 1.6.0 defines them with the cloud profile
// (https://schema.ocsf.io/1.6.0/classes/detection_finding?profiles=cloud, and /objects/ for the others):
// all attributes that are required, marked with !, and of the others those that an alert fills.
var ocsfFacts = map[string]string{
	"detection_finding": `activity_id!:integer_t activity_name:string_t api:api category_name:string_t category_uid!:integer_t
		class_name:string_t class_uid!:integer_t cloud!:cloud end_time:timestamp_t evidences:[]evidences
		finding_info!:finding_info is_alert:boolean_t message:string_t metadata!:metadata observables:[]observable
		raw_data:string_t remediation:remediation resources:[]resource_details severity:string_t
		severity_id!:integer_t start_time:timestamp_t status:string_t status_id:integer_t time!:timestamp_t
		type_name:string_t type_uid!:long_t unmapped:object`,
	"metadata": `is_truncated:boolean_t labels:[]string_t log_provider:string_t original_time:string_t product!:product
		profiles:[]string_t uid:string_t version!:string_t`,
	"product":          `name:string_t vendor_name:string_t`,
	"finding_info":     `analytic:analytic attacks:[]attack desc:string_t related_events:[]related_event title:string_t uid!:string_t`,
	"analytic":         `desc:string_t name:string_t type:string_t type_id!:integer_t uid:string_t`,
	"attack":           `tactic:tactic technique:technique`,
	"tactic":           `name:string_t uid:string_t`,
	"technique":        `name:string_t uid:string_t`,
	"related_event":    `type:string_t uid!:string_t`,
	"remediation":      `desc!:string_t references:[]string_t`,
	"cloud":            `account:account provider!:string_t region:string_t`,
	"account":          `type:string_t type_id:integer_t uid:string_t`,
	"api":              `operation!:string_t response:response service:service`,
	"service":          `name:string_t`,
	"response":         `error:string_t`,
	"evidences":        `actor:actor http_request:http_request src_endpoint:network_endpoint`,
	"actor":            `app_name:string_t idp:idp session:session user:user`,
	"user":             `account:account name:string_t type:string_t type_id:integer_t uid:string_t uid_alt:string_t`,
	"session":          `created_time:timestamp_t credential_uid:string_t is_mfa:boolean_t issuer:string_t uid:string_t`,
	"idp":              `name:string_t uid:string_t`,
	"network_endpoint": `ip:ip_t svc_name:string_t`,
	"http_request":     `user_agent:string_t`,
	"resource_details": `role:string_t role_id:integer_t uid:string_t`,
	"observable":       `name:string_t type:string_t type_id!:integer_t value:string_t`,
}

// ocsfAtLeastOne are the constraints of the same objects, without attributes that an alert never fills.
var ocsfAtLeastOne = map[string][]string{
	"product": {"name"}, "analytic": {"name", "uid"}, "attack": {"tactic", "technique"}, "tactic": {"name", "uid"},
	"technique": {"name", "uid"}, "account": {"uid"}, "service": {"name"}, "evidences": {"actor", "src_endpoint"},
	"actor": {"user", "session", "app_name"}, "user": {"account", "name", "uid"}, "idp": {"name", "uid"},
	"network_endpoint": {"ip", "svc_name"}, "resource_details": {"uid"},
}

// ocsfEnums are the captions of enumerations by object and attribute, and where they stand beside the id.
// The caption beside user.type_id is the source's own ("For example, System, AWS IAM User, etc.").
var ocsfEnums = map[string]struct {
	sibling  string
	captions map[string]string
}{
	"detection_finding.activity_id":  {"activity_name", map[string]string{"1": "Create", "2": "Update", "3": "Close"}},
	"detection_finding.category_uid": {"category_name", map[string]string{"2": "Findings"}},
	"detection_finding.class_uid":    {"class_name", map[string]string{"2004": "Detection Finding"}},
	"detection_finding.type_uid":     {"type_name", map[string]string{"200401": "Detection Finding: Create"}},
	"detection_finding.severity_id": {"severity", map[string]string{
		"1": "Informational", "2": "Low", "3": "Medium", "4": "High", "5": "Critical", "6": "Fatal",
	}},
	"detection_finding.status_id": {"status", map[string]string{"1": "New", "2": "In Progress", "3": "Suppressed", "4": "Resolved"}},
	"analytic.type_id":            {"type", map[string]string{"1": "Rule", "2": "Behavioral", "3": "Statistical"}},
	"account.type_id":             {"type", map[string]string{"3": "AWS IAM User", "4": "AWS IAM Role", "10": "AWS Account"}},
	"user.type_id":                {"", map[string]string{"0": "Unknown", "1": "User", "2": "Admin", "3": "System", "4": "Service", "99": "Other"}},
	"resource_details.role_id":    {"role", map[string]string{"1": "Target", "2": "Actor", "3": "Affected", "4": "Related"}},
	"observable.type_id":          {"type", map[string]string{"2": "IP Address", "4": "User Name", "35": "Account Object: uid"}},
}

// TestOCSFFacts holds findings against what OCSF says of each object: no attribute that is not of it, every
// one that is required, the right types, known enumerations with their captions.
func TestOCSFFacts(t *testing.T) {
	all := goldenAlerts(t)
	maps.Copy(all, oddAlerts())
	for name, a := range all {
		d := json.NewDecoder(bytes.NewReader(AppendOCSF(nil, a)))
		d.UseNumber()
		var f map[string]any
		if err := d.Decode(&f); err != nil {
			t.Fatal(err)
		}
		for _, fault := range ocsfFaults("detection_finding", f) {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// A checker that finds nothing would prove nothing.
func TestOCSFFactsFailure(t *testing.T) {
	f := func(object, encoded, want string) {
		t.Helper()
		d := json.NewDecoder(strings.NewReader(encoded))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if faults := ocsfFaults(object, v); !slices.Contains(faults, want) {
			t.Errorf("faults of %s are %q, want %q", encoded, faults, want)
		}
	}
	f("cloud", `{}`, "cloud: lacks provider")
	f("cloud", `{"provider":7}`, "cloud.provider: 7 is no string_t")
	f("cloud", `{"provider":"AWS","zone":"a"}`, "cloud: has no attribute zone")
	f("cloud", `[]`, "cloud: is no object")
	f("attack", `{}`, "attack: has none of [tactic technique]")
	f("evidences", `{"actor":{"user":{"name":"a","type_id":5}}}`, "user.type_id: 5 is not known")
	f("resource_details", `{"uid":"a","role_id":2,"role":"Target"}`, `resource_details.role: "Target" is not "Actor"`)
	f("session", `{"created_time":1.5}`, "session.created_time: 1.5 is no timestamp_t")
	f("network_endpoint", `{"ip":"AWS Internal"}`, "network_endpoint.ip: AWS Internal is no ip_t")
	f("finding_info", `{"uid":"a","attacks":{}}`, "finding_info.attacks: is no array")
}

func ocsfFaults(object string, value any) (faults []string) {
	v, ok := value.(map[string]any)
	if !ok {
		return []string{object + ": is no object"}
	}
	types := make(map[string]string)
	for _, fact := range strings.Fields(ocsfFacts[object]) {
		name, typ, _ := strings.Cut(fact, ":")
		name, required := strings.CutSuffix(name, "!")
		if types[name] = typ; required && v[name] == nil {
			faults = append(faults, object+": lacks "+name)
		}
	}
	if some := ocsfAtLeastOne[object]; some != nil && !slices.ContainsFunc(some, func(name string) bool { return v[name] != nil }) {
		faults = append(faults, fmt.Sprintf("%s: has none of %v", object, some))
	}
	for name, member := range v {
		if types[name] == "" {
			faults = append(faults, object+": has no attribute "+name)
			continue
		}
		faults = append(faults, ocsfTypeFaults(object+"."+name, types[name], member)...)
		faults = append(faults, ocsfEnumFaults(object, name, v)...)
	}
	return faults
}

func ocsfTypeFaults(place, typ string, value any) (faults []string) {
	if typ, many := strings.CutPrefix(typ, "[]"); many {
		list, ok := value.([]any)
		if !ok {
			return []string{place + ": is no array"}
		}
		for _, v := range list {
			faults = append(faults, ocsfTypeFaults(place, typ, v)...)
		}
		return faults
	}
	if ocsfFacts[typ] != "" {
		return ocsfFaults(typ, value)
	}
	if !isOCSFType(typ, value) {
		return []string{fmt.Sprintf("%s: %v is no %s", place, value, typ)}
	}
	return nil
}

func isOCSFType(typ string, value any) bool {
	text, isText := value.(string)
	switch typ {
	case "string_t":
		return isText
	case "ip_t":
		_, err := netip.ParseAddr(text)
		return isText && err == nil
	case "boolean_t":
		_, ok := value.(bool)
		return ok
	case "integer_t", "long_t", "timestamp_t":
		n, ok := value.(json.Number)
		_, err := n.Int64()
		return ok && err == nil
	case "object":
		_, ok := value.(map[string]any)
		return ok
	}
	return false
}

func ocsfEnumFaults(object, name string, v map[string]any) []string {
	enum, ok := ocsfEnums[object+"."+name]
	if !ok {
		return nil
	}
	caption := enum.captions[fmt.Sprint(v[name])]
	switch sibling := v[enum.sibling]; {
	case caption == "":
		return []string{fmt.Sprintf("%s.%s: %v is not known", object, name, v[name])}
	case enum.sibling != "" && sibling != caption:
		return []string{fmt.Sprintf("%s.%s: %q is not %q", object, enum.sibling, sibling, caption)}
	}
	return nil
}
