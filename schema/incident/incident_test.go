package incident

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/regionwatch/regionwatch/schema/schematest"
)

var update = flag.Bool("update", false, "write the golden file anew")

var day = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

// sample returns an incident with every field that one can have together.
func sample() *Incident {
	k := Key{Rule: "AWS.UnusedRegion", Account: "111122223333", Region: "eu-west-3", Actor: "arn:aws:iam::111122223333:role/dev"}
	top := []Count{{"ec2.amazonaws.com RunInstances", 2, 1, "High"}}
	return &Incident{
		ID: ID(&k, day).String(), Activity: Update, Revision: 2, Status: StatusOpen, Kind: KindIncident,
		Title: "Activity in unused region eu-west-3 by dev in account 111122223333", Severity: "High", RuleID: k.Rule,
		AccountID: k.Account, Region: k.Region, Principal: &Principal{k.Actor, "AssumedRole", "dev"},
		Window: Window{day, day.AddDate(0, 0, 1)}, FirstSeen: day.Add(time.Hour), LastSeen: day.Add(2 * time.Hour),
		Counts:  Counts{Alerts: 2, Failed: 1, Succeeded: 1, Partial: 1, Salvaged: 1, Actions: 1},
		Actions: top, Sources: top, Agents: top, OtherRegions: []string{"ap-east-1"}, AlertIDs: []string{"c679e136-714f-5399-a105-a6ec277fff85"},
		Account: json.RawMessage(`{"name":"payments"}`), Escalations: []Escalation{{day, EscalatedAction, "x"}},
		Continues: ID(&k, day.AddDate(0, 0, -1)).String(),
	}
}

// The ids never change.
func TestIDs(t *testing.T) {
	k := Key{Rule: "AWS.UnusedRegion", Account: "111122223333", Region: "eu-west-3", Actor: "arn:aws:iam::111122223333:role/dev"}
	f := func(got uuid.UUID, want string) {
		t.Helper()
		if got.String() != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	f(Namespace, "7662a50b-ad3d-5ab7-bd20-af4886df288a")
	f(ID(&k, day), "604e7ba3-74e4-5ed4-a60d-3686330c8a14")
	f(LateID(ID(&k, day), 1), "7cd922ca-952d-57be-ace7-b837940be249")
	f(ID(&Key{Account: "111122223333", Storm: true}, day), "af8a679c-34a9-5afd-83d5-7c2c7404b7ef")
	f(ID(&Key{Partition: 3, Storm: true}, day), "0a9226ce-2ded-5a20-95b0-461a39c11ba2")
	f(ID(&Key{Partition: 3, Storm: true, Overflow: true}, day), "4884348b-3835-5071-868c-a460082f2c82")
	f(ID(&Key{Rule: "r", Partition: 3, Region: "x", Actor: "y"}, day), "37a41166-89bf-5a13-810b-896e85d87c14")
	if other := ID(&Key{Rule: "r", Account: "partition 3", Partition: 3, Region: "x", Actor: "y"}, day); other.String() == "37a41166-89bf-5a13-810b-896e85d87c14" {
		t.Error("an account has the id of alerts without one")
	}
}

func TestNativeRoundTrip(t *testing.T) {
	i := sample()
	got, err := Decode(AppendJSON(nil, i))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(i, got); diff != "" {
		t.Error(diff)
	}
	if _, err := Decode([]byte(`{"id":7}`)); err == nil {
		t.Error("a number is an id")
	}
}

// The schema names every field, and accepts what is written.
func TestSchema(t *testing.T) {
	schema := schematest.Compile(t, "native.schema.json")
	f := func(valid bool, change func(*Incident)) {
		t.Helper()
		i := sample()
		change(i)
		if err := schema.Validate(AppendJSON(nil, i)); (err == nil) != valid {
			t.Errorf("valid %t: %v", valid, err)
		}
	}
	partition := int32(0)
	f(true, func(*Incident) {})
	f(true, func(i *Incident) {
		i.Kind, i.Region, i.Principal, i.Regions, i.Principals = KindStorm, "", nil, i.Actions, i.Actions
	})
	f(true, func(i *Incident) {
		i.Kind, i.Late, i.LateFor, i.AccountID, i.Partition = KindLate, true, i.ID, "", &partition
	})
	f(true, func(i *Incident) {
		i.Counts.Estimate, i.Counts.MoreActions, i.Account, i.Status = true, true, nil, StatusClosed
	})
	f(false, func(i *Incident) { i.ID = "1" })
	f(false, func(i *Incident) { i.Activity = "Delete" })
	f(false, func(i *Incident) { i.Severity = "" })
}

// An incident in OCSF is a Detection Finding whose activity and uid follow it through its life.
func TestOCSF(t *testing.T) {
	f := func(activity, status string, want ...any) {
		t.Helper()
		i := sample()
		i.Activity, i.Status = activity, status
		var got map[string]any
		if err := json.Unmarshal(AppendOCSF(nil, i), &got); err != nil {
			t.Fatal(err)
		}
		info := got["finding_info"].(map[string]any)
		told := []any{got["class_uid"], got["activity_id"], got["type_uid"], got["severity_id"], got["status_id"], got["count"], info["uid"]}
		if diff := cmp.Diff(append(want, 2.0, i.ID), told); diff != "" {
			t.Errorf("%s: %s", activity, diff)
		}
	}
	f(Create, StatusOpen, 2004.0, 1.0, 200401.0, 4.0, 1.0)
	f(Update, StatusOpen, 2004.0, 2.0, 200402.0, 4.0, 2.0)
	f(Close, StatusClosed, 2004.0, 3.0, 200403.0, 4.0, 4.0)
}

// Every attribute of an incident in OCSF. Write the golden file anew with go test ./schema/incident -run TestOCSFGolden -update,
// and read the difference.
func TestOCSFGolden(t *testing.T) {
	const golden = "testdata/ocsf.golden.json"
	var got bytes.Buffer
	if err := json.Indent(&got, append(AppendOCSF(nil, sample()), '\n'), "", "  "); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(golden, got.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Error(diff)
	}
}

// An incident without an account or a principal leaves them out.
func TestOCSFOfAStorm(t *testing.T) {
	i := sample()
	i.AccountID, i.Principal, i.Region = "", nil, ""
	var got map[string]any
	if err := json.Unmarshal(AppendOCSF(nil, i), &got); err != nil {
		t.Fatal(err)
	}
	if got["evidences"] != nil || got["cloud"].(map[string]any)["account"] != nil {
		t.Errorf("%v", got)
	}
}
