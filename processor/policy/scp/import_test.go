package scp

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/regionwatch/regionwatch/processor/policy"
	"github.com/regionwatch/regionwatch/processor/policy/policyfile"
	"github.com/regionwatch/regionwatch/processor/policy/regions"
	"github.com/regionwatch/regionwatch/schema/cloudtrail"
)

const (
	allowTwo = `{"Version":"2012-10-17","Statement":[{"Sid":"DenyOutside","Effect":"Deny","NotAction":["iam:*","organizations:*","cloudwatch:*","s3:ListAllMyBuckets","ec2:Describe*"],
		"Resource":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["us-east-1","eu-west-1"]},"ArnNotLike":{"aws:PrincipalARN":["arn:aws:iam::*:role/breakglass"]}}}]}`
	denyTwo   = `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:requestedregion":["ap-east-1","me-south-1"]}}}}`
	denyAll   = `{"Statement":[{"Effect":"Deny","Action":["*"],"Resource":"*","Condition":{"ForAnyValue:StringNotLikeIfExists":{"aws:RequestedRegion":["us-*"]}}}]}`
	allowThat = `{"Statement":[{"Effect":"Deny","NotAction":"iam:*","Condition":{"StringNotEqualsIgnoreCase":{"aws:RequestedRegion":"EU-west-1"}}}]}`
)

// decide says what an imported policy makes of a call.
func decide(t *testing.T, imported *Imported, account, region, source, name, role string) policy.Outcome {
	t.Helper()
	f, err := policyfile.Parse("imported", imported.Policy)
	if err != nil {
		t.Fatalf("%v in\n%s", err, imported.Policy)
	}
	text := func(s string) cloudtrail.Value { return cloudtrail.Value(`"` + s + `"`) }
	e := &cloudtrail.Event{
		AWSRegion: text(region), EventSource: text(source), EventName: text(name), ReadOnly: cloudtrail.Value("false"), RecipientAccountID: text(account),
		UserIdentity: cloudtrail.Value(`{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::111122223333:role/` + role + `"}}}`),
	}
	return f.Policy.Decide(e, time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)).Outcome
}

func TestImportSuccess(t *testing.T) {
	var files []string
	f := func(want policy.Outcome, call string) {
		t.Helper()
		var sources []Source
		for _, text := range files {
			sources = append(sources, Source{"scp.json", []byte(text)})
		}
		imported, err := Import(sources, Target{})
		if err != nil {
			t.Fatal(err)
		}
		p := strings.Fields(call)
		if got := decide(t, imported, "111122223333", p[0], p[1]+".amazonaws.com", p[2], p[3]); got != want {
			t.Errorf("%s: %s, want %s by\n%s", call, got, want, imported.Policy)
		}
	}
	const alerted, exempted, used = policy.OutcomeAlerted, policy.OutcomeExempted, policy.OutcomeUsedRegion
	files = []string{allowTwo}
	f(used, "us-east-1 ec2 RunInstances dev")
	f(alerted, "us-west-2 ec2 RunInstances dev")
	f(alerted, "mars-east-1 ec2 RunInstances dev")
	f(exempted, "us-west-2 ec2 DescribeInstances dev")
	f(exempted, "us-west-2 iam CreateUser dev")
	f(exempted, "us-west-2 monitoring PutMetricAlarm dev")
	f(alerted, "us-west-2 cloudwatch PutMetricAlarm dev")
	f(exempted, "us-west-2 s3 ListBuckets dev")
	f(alerted, "us-west-2 s3 CreateBucket dev")
	f(exempted, "us-west-2 ec2 RunInstances breakglass")
	f(exempted, "us-west-2 ec2 RunInstances aws-service-role/config.amazonaws.com/x")
	files = []string{denyTwo}
	f(alerted, "ap-east-1 iam CreateUser dev")
	f(used, "us-east-1 iam CreateUser dev")
	f(used, "mars-east-1 iam CreateUser dev")
	files = []string{denyAll}
	f(used, "us-west-1 ec2 RunInstances dev")
	f(alerted, "eu-west-1 iam CreateUser dev")
	// All conditions of a statement must hold, and an operator that knows all regions but some denies new ones only alone.
	files = []string{`{"Statement":{"Effect":"Deny","Action":"*","Condition":{"StringEquals":{"aws:RequestedRegion":["ap-east-1","us-west-2"]},"StringNotLike":{"aws:RequestedRegion":"us-*"}}}}`}
	f(alerted, "ap-east-1 ec2 RunInstances dev")
	f(used, "us-west-2 ec2 RunInstances dev")
	f(used, "sa-east-1 ec2 RunInstances dev")
	f(used, "mars-east-1 ec2 RunInstances dev")
	files = []string{`{"Statement":{"Effect":"Deny","Action":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"ap-east-1"},"StringNotLike":{"aws:RequestedRegion":"us-*"}}}}`}
	f(used, "ap-east-1 ec2 RunInstances dev")
	f(used, "us-west-2 ec2 RunInstances dev")
	f(alerted, "sa-east-1 ec2 RunInstances dev")
	f(alerted, "mars-east-1 ec2 RunInstances dev")
	// Together: allowed is what both allow, and who is spared must be spared by all that deny.
	files = []string{allowTwo, allowThat}
	f(used, "eu-west-1 ec2 RunInstances dev")
	f(alerted, "us-east-1 ec2 RunInstances dev")
	f(exempted, "us-west-2 iam CreateUser dev")
	f(alerted, "us-west-2 ec2 RunInstances breakglass")
	files = []string{allowTwo, denyTwo}
	f(alerted, "ap-east-1 iam CreateUser dev")
	f(exempted, "us-west-2 iam CreateUser dev")
	f(alerted, "ap-east-1 ec2 RunInstances breakglass")
	f(exempted, "us-west-2 ec2 RunInstances breakglass")
	f(exempted, "ap-east-1 ec2 RunInstances aws-service-role/x")

	// What the CLI prints is the policy as text, within which there are tabs and a byte order mark.
	content, _ := json.Marshal(map[string]any{"Policy": map[string]any{"Content": allowTwo}})
	files = []string{"\xef\xbb\xbf" + string(content) + " \t\n"}
	f(alerted, "us-west-2 ec2 RunInstances dev")

	// IAM ignores the case of a service.
	files = []string{`{"Statement":{"Effect":"Deny","NotAction":"EC2:*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"us-east-1"}}}}`}
	f(exempted, "us-west-2 ec2 RunInstances dev")
}

func TestImportTargets(t *testing.T) {
	imported, err := Import([]Source{{"a.json", []byte(allowTwo)}}, Target{Account: "111122223333"})
	if err != nil {
		t.Fatal(err)
	}
	for account, want := range map[string]policy.Outcome{"111122223333": policy.OutcomeAlerted, "444455556666": policy.OutcomeUsedRegion} {
		if got := decide(t, imported, account, "us-west-2", "ec2.amazonaws.com", "RunInstances", "dev"); got != want {
			t.Errorf("%s: %s, want %s", account, got, want)
		}
	}
}

// The policy says where each of its parts comes from, and each exception is for the target.
func TestImportText(t *testing.T) {
	f := func(target Target, level string) {
		t.Helper()
		scope := fmt.Sprintf("groups: [%q]", target.Group)
		if target.Account != "" {
			scope = fmt.Sprintf("accounts: [%q]", target.Account)
		}
		const deny = `{"Statement":{"Effect":"Deny","NotAction":["iam:*","s3:ListAllMyBuckets","s3:Get*"],"Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}}}`
		imported, err := Import([]Source{{"a.json", []byte(allowTwo)}, {"b.json", []byte(deny)}}, target)
		if err != nil {
			t.Fatal(err)
		}
		want := `# Made by regionwatch policy import-scp of:
#   a.json: statement 1 (DenyOutside)
#   b.json: statement 1
` + level + `
    allowed_regions: [eu-west-1]
    exempt_global_services: false # the exceptions say what is exempt
exceptions:
  # A service control policy does not bind service-linked roles.
  - name: "scp-service-linked-roles"
    reason: "service control policies do not bind service-linked roles"
    SCOPE
    principals: ["arn:*:iam::*:role/aws-service-role/*"]
  # from a.json: statement 1 (DenyOutside)
  - name: "scp-principals"
    reason: "principals that the service control policy exempts"
    SCOPE
    regions: [REST]
    principals: ["arn:aws:iam::*:role/breakglass"]
  # from a.json: statement 1 (DenyOutside); b.json: statement 1
  - name: "scp-services"
    reason: "services that the service control policy exempts"
    SCOPE
    event_sources: ["iam.amazonaws.com"]
  # from a.json: statement 1 (DenyOutside)
  - name: "scp-services-2"
    reason: "services that the service control policy exempts"
    SCOPE
    regions: [REST]
    event_sources: ["organizations.amazonaws.com", "monitoring.amazonaws.com"]
  # from a.json: statement 1 (DenyOutside); b.json: statement 1
  - name: "scp-s3"
    reason: "calls that the service control policy exempts"
    SCOPE
    event_sources: ["s3.amazonaws.com"]
    event_names: ["ListBuckets"]
  # from a.json: statement 1 (DenyOutside)
  - name: "scp-ec2"
    reason: "calls that the service control policy exempts"
    SCOPE
    regions: [REST]
    event_sources: ["ec2.amazonaws.com"]
    event_names: ["Describe*"]
  # from b.json: statement 1
  - name: "scp-s3-2"
    reason: "calls that the service control policy exempts"
    SCOPE
    regions: [us-east-1]
    event_sources: ["s3.amazonaws.com"]
    event_names: ["Get*"]
`
		var rest []string
		for _, r := range regions.All() {
			if r.Code != "us-east-1" && r.Code != "eu-west-1" {
				rest = append(rest, r.Code)
			}
		}
		want = strings.NewReplacer("SCOPE", scope, "REST", strings.Join(rest, ", ")).Replace(want)
		if string(imported.Policy) != want {
			t.Errorf("got\n%s\nwant\n%s", imported.Policy, want)
		}
	}
	f(Target{Group: "workloads"}, "groups:\n  \"workloads\":\n    # ous: [Workloads/Prod] # or accounts")
	f(Target{Account: "111122223333"}, "accounts:\n  \"111122223333\":")
}

func TestImportNotes(t *testing.T) {
	f := func(statement string, want ...string) {
		t.Helper()
		imported, err := Import([]Source{{"a.json", []byte(`{"Statement":[` + statement + "," + denyTwo[len(`{"Statement":`):len(denyTwo)-1] + `]}`)}}, Target{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(imported.Notes, want) {
			t.Errorf("%s: notes\n%s\nwant\n%s", statement, strings.Join(imported.Notes, "\n"), strings.Join(want, "\n"))
		}
		if strings.Contains(string(imported.Policy), "# Not carried over") != (len(want) > 0) {
			t.Errorf("%d notes, and the policy says:\n%s", len(want), imported.Policy)
		}
		for _, n := range want {
			if !strings.Contains(string(imported.Policy), n) {
				t.Errorf("the policy lacks the note %q", n)
			}
		}
	}
	f(`{"Effect":"Allow","Action":"*","Resource":"*"}`)
	f(`{"Sid":"Some","Effect":"Deny","Action":["ec2:*"],"Condition":{"StringNotEquals":{"aws:RequestedRegion":"us-east-1"}}}`,
		"a.json: statement 1 (Some): it denies single actions outside regions, which says nothing about the regions: ec2:*")
	f(`{"Effect":"Deny","Action":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"ap-east-1","aws:PrincipalTag/team":"x"},"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/a"}}}`,
		"a.json: statement 1: it denies by ArnLike of aws:PrincipalArn only; here it alerts for everyone",
		"a.json: statement 1: it denies only where StringEquals of aws:PrincipalTag/team is x; here it alerts everywhere")
	f(`{"Effect":"Deny","NotAction":["ec2:","iam","e*:Get"],"Condition":{"StringEquals":{"aws:RequestedRegion":"ap-east-1"}}}`,
		`a.json: statement 1: the action "ec2:" names no service`,
		`a.json: statement 1: the action "iam" names no service`,
		`a.json: statement 1: the action "e*:Get" names no service`)
	f(`{"Effect":"Deny","Action":"*","Resource":"arn:aws:s3:::a","Condition":{"StringLike":{"aws:RequestedRegion":"ap-*-1"},"ArnNotLike":{"aws:PrincipalArn":["*","arn:aws:sts::*:federated-user/a","arn:aws:iam::*:assumed-role/a/*"]}}}`,
		`a.json: statement 1: "ap-*-1" is written out as the regions that match it today`,
		`a.json: statement 1: the principal "*" is not an ARN pattern with six parts`,
		`a.json: statement 1: the principal "arn:aws:sts::*:federated-user/a" is not a role or user of IAM; name the role itself`,
		`a.json: statement 1: the principal "arn:aws:iam::*:assumed-role/a/*" is not a role or user of IAM; name the role itself`,
		"a.json: statement 1: it denies for some resources only; here it alerts for all")
	f(`{"Effect":"Deny","Action":"*","NotResource":"arn:aws:s3:::a","Condition":{"StringLike":{"aws:RequestedRegion":"ap-east-1"},"Bool":{"aws:ViaAWSService":false}}}`,
		"a.json: statement 1: it denies only where Bool of aws:ViaAWSService is false; here it alerts everywhere",
		"a.json: statement 1: it denies for some resources only; here it alerts for all")
	f(`{"Effect":"Allow","Action":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"ap-east-1"}}}`,
		"a.json: statement 1: it allows by region; only denials are carried over")
	f(`{"Effect":"Deny","Action":"*","Condition":{"Null":{"aws:RequestedRegion":"false"}}}`,
		"a.json: statement 1: the operator Null says nothing about regions here")
}

func TestImportFailure(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, err := Import([]Source{{"a.json", []byte(text)}}, Target{})
		if err == nil || err.Error() != strings.Join(want, "\n") {
			t.Errorf("%s: %v, want %s", text, err, strings.Join(want, "\n"))
		}
	}
	f(`{"Statement":[{"Effect":"Deny","NotAction":"iam:*","Condition":{"StringNotEquals":{"aws:RequestedRegion":["{example-region-1}","us-esat-1"]},"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::${Account}:role/[ROLE]"}}}]}`,
		`a.json: statement 1: "{example-region-1}" is a placeholder; want a region`,
		`a.json: statement 1: "us-esat-1" is not an AWS region, did you mean "us-east-1"?`,
		`a.json: statement 1: "arn:aws:iam::${Account}:role/[ROLE]" is a placeholder; want an ARN`)
	f(`{"Statement":[{"Effect":"Deny","NotAction":"${Service}:*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"us-*"}}}]}`,
		`a.json: statement 1: "us-*" is not an AWS region`,
		`a.json: statement 1: "${Service}:*" is a placeholder; want an action`)
	f("{\n\"Statement\": [\n<<EOF", "a.json: invalid JSON, line 3: invalid character '<' looking for beginning of value; render a Terraform or CloudFormation template first")
	f(`{}`, "a.json: no Statement found")
	f(`{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`, "no statement denies by aws:RequestedRegion")
	f(`{"Statement":[{"Effect":"Deny","Action":"*","Condition":{"StringNotEquals":{"aws:RequestedRegion":"us-east-1"}}},{"Effect":"Deny","Action":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}}]}`,
		"a.json: statement 1 and others together allow no region at all")
}

// JSON of another shape is a fault, not a statement that says nothing.
func TestImportShape(t *testing.T) {
	for text, want := range map[string]string{
		`{"Statement":[{"Effect":1}]}`:                    "a.json: json: cannot unmarshal number",
		`{"Statement":{"Effect":"Deny","Action":{}}}`:     `want a string or a list of strings, not {}`,
		`{"Statement":{"Effect":"Deny","Action":["",1]}}`: `want a string or a list of strings, not ["",1]`,
		`{"Statement":{"Effect":"Deny","Action":1e999}}`:  `cannot unmarshal number 1e999`,
		`{"Policy":{"Content":"{"}}`:                      "a.json: Policy.Content: invalid JSON, line 1",
		`{"Policy":{"Content":"{\"Statement\":1}"}}`:      "a.json: Policy.Content: json: cannot unmarshal number",
	} {
		if _, err := Import([]Source{{"a.json", []byte(text)}}, Target{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// An exception names the statements that it comes from, and no other.
//
// Guard: scope asks each statement for the exemption.
func TestImportPlaces(t *testing.T) {
	f := func(second, want string) {
		t.Helper()
		imported, err := Import([]Source{{"a.json", []byte(allowTwo)}, {"b.json", []byte(second)}}, Target{})
		if err != nil {
			t.Fatal(err)
		}
		if want = "# from " + want + "\n"; !strings.Contains(string(imported.Policy), want) {
			t.Errorf("the policy lacks %q:\n%s", want, imported.Policy)
		}
	}
	f(allowThat, "a.json: statement 1 (DenyOutside); b.json: statement 1")
	f(denyTwo, "a.json: statement 1 (DenyOutside)")
}

// FuzzImport: whatever comes is a policy that can be read, or an error.
func FuzzImport(f *testing.F) {
	for _, text := range []string{allowTwo, denyTwo, denyAll, allowThat} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		imported, err := Import([]Source{{"a\nb", text}}, Target{})
		if err != nil {
			return
		}
		if _, err := policyfile.Parse("imported", imported.Policy); err != nil && strings.Contains(err.Error(), "YAML") {
			t.Errorf("%v in\n%s", err, imported.Policy)
		}
	})
}
