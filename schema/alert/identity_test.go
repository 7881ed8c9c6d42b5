package alert

import (
	"testing"

	"github.com/google/uuid"
)

func TestNamespaceIsDerived(t *testing.T) {
	want := uuid.NewSHA1(uuid.NameSpaceURL, []byte("https://github.com/regionwatch/regionwatch/alert"))
	if Namespace != want {
		t.Errorf("Namespace = %s, want %s", Namespace, want)
	}
}

// The ids are part of the format: one that changes would make every redelivered alert a new one.
func TestIDsNeverChange(t *testing.T) {
	f := func(got []byte, name, want string) {
		t.Helper()
		if string(got) != want {
			t.Errorf("id = %s, want %s", got, want)
		}
		if oracle := uuid.NewSHA1(Namespace, []byte(name)).String(); string(got) != oracle {
			t.Errorf("id = %s, want the UUIDv5 of %q, %s", got, name, oracle)
		}
	}
	f(AppendID(nil, "AWS.UnusedRegion", []byte("111122223333"), []byte("1111")),
		"5:event,16:AWS.UnusedRegion,12:111122223333,4:1111,", "ccf5b9f8-c889-5937-86c5-42bb9770dc5f")
	f(AppendRecordID(nil, "AWS.UnusedRegion", []byte("111122223333"), []byte("cloudtrail/3/42"), 7),
		"6:record,16:AWS.UnusedRegion,12:111122223333,15:cloudtrail/3/42,1:7,", "416fd710-8aca-5966-83f5-9bc80e8c6fcb")
	f(AppendRecordID(nil, "AWS.UnusedRegion", []byte("111122223333"), []byte("cloudtrail/3/42"), 1234),
		"6:record,16:AWS.UnusedRegion,12:111122223333,15:cloudtrail/3/42,4:1234,", "e5cc3de4-4b9c-5203-8a14-80c38fd5aaaa")
	f(AppendRecordID(nil, "AWS.UnusedRegion", nil, []byte("cloudtrail/3/42"), 7),
		"6:record,16:AWS.UnusedRegion,0:,15:cloudtrail/3/42,1:7,", "48e5d8bf-f5a0-5ee0-9151-a2a6a624dc47")
}

// A caller who chooses one part must not be able to make it look like another.
func TestIDsOfDifferentPartsDiffer(t *testing.T) {
	id := func(account, eventID string) string {
		return string(AppendID(nil, "rule", []byte(account), []byte(eventID)))
	}
	ids := map[string]string{}
	for _, parts := range [][2]string{
		{"", ""}, {"1", "11"}, {"11", "1"}, {"", "111"}, {"111", ""}, {"1", ",2:11"}, {"1,2", "11"}, {"1\x001", "1"},
		{"1", "\x0011"}, {"0:,", ""}, {"", "0:,"},
	} {
		got := id(parts[0], parts[1])
		if other, taken := ids[got]; taken {
			t.Errorf("%q has the id of %s", parts, other)
		}
		ids[got] = parts[0] + " and " + parts[1]
	}
	event := string(AppendID(nil, "rule", []byte("1"), []byte("2")))
	if record := string(AppendRecordID(nil, "rule", []byte("1"), []byte("2"), 0)); record == event {
		t.Error("a record's id is that of an event")
	}
}

func TestIDAllocatesItsTextOnly(t *testing.T) {
	account, eventID, dst := []byte("111122223333"), []byte("293ba626-3be5-4a26-ab1b-0f4c54f49959"), make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() { AppendID(dst, "AWS.UnusedRegion", account, eventID) }); n > 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
