package policies

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/regionwatch/regionwatch/internal/scan"
)

// logs are n files with events of a few accounts, so that every file changes what was learned from the others.
func logs(n int) (files []scan.Source) {
	random := rand.New(rand.NewPCG(3, 4))
	for i := range n {
		var text bytes.Buffer
		for range 60 {
			fmt.Fprintf(&text, `{"eventVersion":"1.08","awsRegion":%q,"readOnly":%t,"eventSource":"s%d.amazonaws.com","eventTime":"2026-0%d-1%dT01:02:03Z","recipientAccountId":"%012d",`+
				`"userIdentity":{"type":"AssumedRole","sessionContext":{"sessionIssuer":{"arn":"arn:aws:iam::%012[6]d:role/r%d"}}}}`+"\n",
				[]string{"us-east-1", "eu-west-1"}[random.IntN(2)], random.IntN(3) == 0, random.IntN(80), 1+random.IntN(9), random.IntN(10), random.IntN(3), random.IntN(200))
		}
		if i%7 == 0 {
			text.WriteString("{damaged\n" + `{"eventVersion":"1.08","awsRegion":"us-east-1","readOnly":true}` + "\n")
		}
		files = append(files, scan.Source{Name: fmt.Sprintf("logs/%03d", i), Size: int64(text.Len()), Changed: 1, Open: func() (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(text.Bytes())), nil
		}})
	}
	return files
}

// lessonOf learns, and returns the policy, the evidence and what was counted; or nothing if it was stopped.
func lessonOf(ctx context.Context, t *testing.T, l Learning, files []scan.Source) string {
	t.Helper()
	l.Evidence = filepath.Join(t.TempDir(), "evidence.ndjson")
	var out bytes.Buffer
	summary, err := l.Run(ctx, files, &out, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if summary.Stopped != nil {
		if out.Len() > 0 {
			t.Error("it drafted a policy of a part of the traffic")
		}
		return ""
	}
	evidence, err := os.ReadFile(l.Evidence)
	if err != nil {
		t.Fatal(err)
	}
	c := &summary.Counts
	return fmt.Sprint(out.String(), string(evidence), summary.Files, summary.Bytes, c.Records, c.Done, c.DeadLettered, c.Events)
}

// However often learning is interrupted, by a signal or by the end of the process, a run to the end gives the same bytes
// as one without interruption.
func TestLearningContinues(t *testing.T) {
	files := logs(30)
	want := lessonOf(t.Context(), t, Learning{}, files)
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 5))
		l := Learning{Snapshot: filepath.Join(t.TempDir(), "snapshot"), stage: 1}
		var mu sync.Mutex
		opened, got, cuts := 0, "", 0
		for ; got == ""; cuts++ {
			ctx, cancel := context.WithCancel(t.Context())
			var before []byte
			at := opened + 1 + random.IntN(10)
			hooked := make([]scan.Source, len(files))
			for i, f := range files {
				hooked[i] = f
				hooked[i].Open = func() (io.ReadCloser, error) {
					mu.Lock()
					defer mu.Unlock()
					if opened++; opened == at {
						before, _ = os.ReadFile(l.Snapshot)
						cancel()
					}
					return f.Open()
				}
			}
			got = lessonOf(ctx, t, l, hooked)
			cancel()
			if got == "" && len(before) > 0 && random.IntN(2) == 0 { // as if the process had been killed
				if err := os.WriteFile(l.Snapshot, before, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" || cuts < 2 {
			t.Fatalf("seed %d, %d cuts: %s", seed, cuts, diff)
		}
		if again := lessonOf(t.Context(), t, l, files); again != want {
			t.Fatalf("seed %d: it learned from a file twice", seed)
		}
	}
}

// slow is a file without an end, of a line a second.
type slow struct{ cancel func() }

func (s slow) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	s.cancel()
	return copy(p, strings.Repeat("{}\n", len(p)/3+1)), nil
}

// After a signal, files that take too long are given up, and the snapshot stays as it was.
func TestLearningGivesUp(t *testing.T) {
	name := filepath.Join(t.TempDir(), "snapshot")
	files := logs(2)
	lessonOf(t.Context(), t, Learning{Snapshot: name}, files)
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		endless := scan.Source{Name: "endless", Size: 1, Open: func() (io.ReadCloser, error) { return io.NopCloser(slow{cancel}), nil }}
		summary, err := (&Learning{Snapshot: name}).Run(ctx, append(files, endless), io.Discard, io.Discard)
		if err != nil || summary.Stopped == nil || summary.Stopped.File != "endless" {
			t.Errorf("%v, %v after %v", err, summary, time.Since(began))
		}
	})
	if after, _ := os.ReadFile(name); !bytes.Equal(before, after) {
		t.Error("the snapshot has a part of a file")
	}
}

// New files are learned in addition, in stages of any length.
func TestLearningFromNewFiles(t *testing.T) {
	files := logs(20)
	want := lessonOf(t.Context(), t, Learning{}, files)
	l := Learning{Snapshot: filepath.Join(t.TempDir(), "snapshot")}
	lessonOf(t.Context(), t, l, append(files[:3:3], files[10:]...))
	if diff := cmp.Diff(want, lessonOf(t.Context(), t, l, files)); diff != "" {
		t.Error(diff)
	}
}

// A file that could not be opened is learned from in the next run.
func TestLearningFromUnopened(t *testing.T) {
	files := logs(4)
	want := lessonOf(t.Context(), t, Learning{}, files)
	l := Learning{Snapshot: filepath.Join(t.TempDir(), "snapshot")}
	locked := slices.Clone(files)
	locked[2].Open = func() (io.ReadCloser, error) { return nil, os.ErrPermission }
	lessonOf(t.Context(), t, l, locked)
	if diff := cmp.Diff(want, lessonOf(t.Context(), t, l, files)); diff != "" {
		t.Error(diff)
	}
}

// A snapshot that cannot be continued is one clear error, and changes nothing.
func TestSnapshotFailure(t *testing.T) {
	files := logs(3)
	name := filepath.Join(t.TempDir(), "snapshot")
	lessonOf(t.Context(), t, Learning{Snapshot: name}, files)
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 4
	stream, changed, grown := files[0], files[0], files[0]
	stream.Size, changed.Changed, grown.Size = -1, 2, grown.Size+1
	for _, c := range []struct {
		want     string
		snapshot []byte
		files    []scan.Source
	}{
		{"is damaged; delete it and learn again", flipped, files},
		{"is damaged; delete it and learn again", good[:len(good)-1], files},
		{"is damaged; delete it and learn again", append(bytes.Clone(good), good[len(snapshotHead)+2:]...), files},
		{`has version "2", this program reads and writes version 1`, bytes.Replace(good, []byte("version 1"), []byte("version 2"), 1), files},
		{"is not a snapshot", []byte("default: {}\n"), files},
		{"is not a snapshot", nil, files},
		{"logs/000 is a stream", good, []scan.Source{stream}},
		{"logs/000 changed after", good, []scan.Source{changed}},
		{"logs/000 changed after", good, []scan.Source{grown}},
	} {
		if err := os.WriteFile(name, c.snapshot, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := (&Learning{Snapshot: name}).Run(t.Context(), c.files, io.Discard, io.Discard)
		if err == nil || !strings.HasPrefix(err.Error(), "flag --snapshot: ") || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %q", err, c.want)
		}
		if now, _ := os.ReadFile(name); !bytes.Equal(now, c.snapshot) {
			t.Errorf("%s: the file was changed", c.want)
		}
	}
}

// Every damaged bit shows, or changes nothing.
func TestSnapshotDamage(t *testing.T) {
	files := logs(2)
	name := filepath.Join(t.TempDir(), "snapshot")
	want := lessonOf(t.Context(), t, Learning{Snapshot: name}, files)
	good, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	random, found := rand.New(rand.NewPCG(1, 1)), 0
	for range 100 {
		bad := bytes.Clone(good)
		bad[random.IntN(len(bad))] ^= 1 << random.IntN(8)
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		summary, err := (&Learning{Snapshot: name}).Run(t.Context(), files, &out, io.Discard)
		switch {
		case err != nil:
			found++
		case !strings.HasPrefix(want, out.String()) || summary.Files != 2:
			t.Fatalf("a flipped bit of a snapshot was believed:\n%s", out.String())
		}
	}
	if found < 90 {
		t.Errorf("%d of 100 were found", found)
	}
}
