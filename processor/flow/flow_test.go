package flow

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// pauses is a client that knows which partitions of one topic are paused, and how often that changed.
type pauses struct {
	paused  map[int32]bool
	changes int
}

func (p *pauses) set(m map[string][]int32, paused bool) map[string][]int32 {
	Each(m, func(tp kadm.Partition) {
		p.changes++
		if p.paused[tp.Partition] = paused; !paused {
			delete(p.paused, tp.Partition)
		}
	})
	return nil
}

func (p *pauses) PauseFetchPartitions(m map[string][]int32) map[string][]int32 { return p.set(m, true) }
func (p *pauses) ResumeFetchPartitions(m map[string][]int32)                   { p.set(m, false) }

// newFlow returns a flow with n partitions.
func newFlow(n int32) (*Flow, *pauses) {
	client := &pauses{paused: make(map[int32]bool)}
	f := NewFlow(client)
	for p := range n {
		f.Open(partition(p))
	}
	return f, client
}

func partition(p int32) kadm.Partition { return kadm.Partition{Topic: "trail", Partition: p} }

// A partition is paused once more than half of what may wait is its own, and resumed when nothing is left, or it is closed.
func TestFlow(t *testing.T) {
	const half = QueuedBytes / 2
	f, client := newFlow(2)
	step := func(what string, do func(), bytes, all, changes int, paused ...int32) {
		t.Helper()
		do()
		if got := slices.Sorted(maps.Keys(client.paused)); f.bytes != bytes || f.all != all || client.changes != changes || !slices.Equal(got, paused) {
			t.Errorf("%s: %d of %d bytes, paused %v after %d changes, want %d of %d, %v and %d", what, f.bytes, f.all, got, client.changes, bytes, all, paused, changes)
		}
	}
	put := func(p int32, n int) func() { return func() { f.Put(partition(p), n) } }
	done := func(p int32, n int) func() { return func() { f.Done(partition(p), n) } }
	closing := func(p int32) func() { return func() { f.Close(partition(p)) } }
	step("half", put(0, half), half, half, 0)
	step("another", put(1, 10), half+10, half+10, 0)
	step("more than half", put(0, 1), 10, half+11, 1, 0)
	step("while paused", put(0, 5), 10, half+16, 1, 0)
	step("some is done", done(0, half), 10, 16+0, 1, 0)
	step("all but one", done(0, 5), 10, 11, 1, 0)
	step("all is done", done(0, 1), 10, 10, 2)
	step("it counts again", put(0, 7), 17, 17, 2)
	step("and is done", done(0, 7), 10, 10, 2)
	step("closed", closing(1), 0, 0, 2)
	step("paused", put(0, half+1), 0, half+1, 3, 0)
	step("closed while paused", closing(0), 0, 0, 4)
	step("of nobody", put(0, 10), 0, 0, 4)
	step("of nobody", done(0, 10), 0, 0, 4)
	step("of nobody", closing(0), 0, 0, 4)
}

// There is room below both limits only.
func TestHasRoom(t *testing.T) {
	for _, test := range []struct {
		bytes, all int
		want       bool
	}{{QueuedBytes - 1, HeldBytes - 1, true}, {QueuedBytes, HeldBytes - 1, false}, {QueuedBytes - 1, HeldBytes, false}} {
		f := &Flow{bytes: test.bytes, all: test.all}
		for range 2 {
			if f.hasRoom() != test.want {
				t.Errorf("%+v", test)
			}
		}
	}
}

// The poll loop waits for room: until bytes are released, or it has paused the partitions that did not move for 100 ms, or
// its context ends.
//
// Guards: moved, and signal.
func TestFlowWait(t *testing.T) {
	const half = QueuedBytes / 2
	f := func(name string, want time.Duration, paused []int32, prepare, meanwhile func(*Flow)) {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, client := newFlow(9)
				prepare(f)
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				began := time.Now()
				if meanwhile != nil {
					go func() {
						time.Sleep(10 * time.Millisecond)
						meanwhile(f)
					}()
				}
				f.Wait(ctx)
				if got := slices.Sorted(maps.Keys(client.paused)); time.Since(began) != want || !slices.Equal(got, paused) {
					t.Errorf("waited for %v and paused %v, want %v and %v", time.Since(began), got, want, paused)
				}
				synctest.Wait()
			})
		})
	}
	fill := func(n int32, each int, moved ...int32) func(*Flow) {
		return func(f *Flow) {
			for p := range n {
				f.Put(partition(p), each)
			}
			for _, p := range moved {
				f.Done(partition(p), 1)
			}
			select {
			case <-f.room:
			default:
			}
		}
	}
	f("room", 0, nil, fill(1, half), nil)
	f("stuck", 100*time.Millisecond, []int32{1, 2}, fill(3, half, 0), nil)
	f("one is stuck with a byte", 100*time.Millisecond, []int32{0, 1, 2}, func(f *Flow) {
		f.Put(partition(2), 1)
		fill(2, half)(f)
	}, nil)
	f("all move once", 200*time.Millisecond, []int32{0, 1, 2}, fill(3, half, 0, 1, 2), nil)
	f("released", 10*time.Millisecond, nil, fill(2, half), func(f *Flow) { f.Done(partition(0), 1) })
	f("paused", 10*time.Millisecond, []int32{0}, fill(2, half), func(f *Flow) { f.Put(partition(0), 1) })
	f("all are held", time.Second, []int32{0, 1, 2, 3, 4, 5, 6, 7}, fill(8, half+1), nil)
	f("one of them goes", 10*time.Millisecond, []int32{0, 1, 2, 3, 4, 5, 6}, fill(8, half+1), func(f *Flow) { f.Close(partition(7)) })
}

func TestEach(t *testing.T) {
	var all []string
	Each(map[string][]int32{"a": {1, 2}, "b": {3}}, func(tp kadm.Partition) { all = append(all, fmt.Sprint(tp.Topic, tp.Partition)) })
	if slices.Sort(all); !slices.Equal(all, []string{"a1", "a2", "b3"}) {
		t.Errorf("%v", all)
	}
}
