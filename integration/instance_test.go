package integration

import (
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// instance keeps one process running as an orchestrator does: it starts another whenever one ends. A
// process that ends by itself must say why and must not claim that all went well.
type instance struct {
	name      string
	arguments []string

	mu      sync.Mutex
	current *process
	stopped bool
	exits   []string // the reasons of those that ended by themselves
	faults  []string

	changed chan struct{} // one token for each new process
	done    chan struct{}
}

// startInstance starts one, and ends it with the test.
func startInstance(t *testing.T, name string, arguments []string) *instance {
	t.Helper()
	i := &instance{name: name, arguments: append(arguments, "--instance-id", name), changed: make(chan struct{}, 1000), done: make(chan struct{})}
	first, err := launch(i.arguments...)
	if err != nil {
		t.Fatal(err)
	}
	i.current = first
	go i.supervise(first)
	t.Cleanup(func() {
		i.mu.Lock()
		i.stopped = true
		p := i.current
		i.mu.Unlock()
		p.kill()
		<-i.done
		if t.Failed() {
			t.Logf("log of instance %s:\n%s", name, p.log.String())
		}
	})
	return i
}

// supervise starts the next process as soon as one has ended.
func (i *instance) supervise(p *process) {
	defer close(i.done)
	for {
		<-p.done
		i.mu.Lock()
		if i.stopped {
			i.mu.Unlock()
			return
		}
		killed := i.judge(p)
		i.mu.Unlock()
		if !killed {
			time.Sleep(time.Second) // an orchestrator backs off
		}
		next, err := launch(i.arguments...)
		i.mu.Lock()
		if err != nil {
			i.faults = append(i.faults, err.Error())
			i.mu.Unlock()
			return
		}
		i.current = next
		if i.stopped {
			i.mu.Unlock()
			next.kill()
			return
		}
		i.mu.Unlock()
		i.changed <- struct{}{}
		p = next
	}
}

// judge looks at how a process ended, and tells whether it was killed.
func (i *instance) judge(p *process) (killed bool) {
	status, isWait := p.command.ProcessState.Sys().(syscall.WaitStatus)
	if isWait && status.Signaled() {
		if status.Signal() != syscall.SIGKILL {
			i.faults = append(i.faults, fmt.Sprintf("%s died of %v:\n%s", i.name, status.Signal(), p.log.String()))
		}
		return true
	}
	reason := p.log.lastLine()
	i.exits = append(i.exits, fmt.Sprintf("%s: status %d: %s", i.name, p.command.ProcessState.ExitCode(), reason))
	if p.command.ProcessState.ExitCode() == 0 || reason == "" || strings.Contains(p.log.String(), "panic:") {
		i.faults = append(i.faults, fmt.Sprintf("%s ended with status %d by itself; log:\n%s", i.name, p.command.ProcessState.ExitCode(), p.log.String()))
	}
	return false
}

// process is the one that runs now.
func (i *instance) process() *process {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.current
}

// strike kills the process with SIGKILL and returns when another has been started.
func (i *instance) strike(t *testing.T) {
	t.Helper()
	for len(i.changed) > 0 {
		<-i.changed
	}
	i.process().kill()
	select {
	case <-i.changed:
	case <-time.After(10 * time.Second):
		t.Fatalf("instance %s has not been started again", i.name)
	}
}

// end stops the instance as an orchestrator does, and reports what went wrong on the way.
func (i *instance) end(t *testing.T) {
	t.Helper()
	i.mu.Lock()
	i.stopped = true
	p := i.current
	faults, exits := i.faults, i.exits
	i.mu.Unlock()
	for _, fault := range faults {
		t.Error(fault)
	}
	for _, exit := range exits {
		t.Logf("ended by itself: %s", exit)
	}
	if p.ended() == nil {
		p.stop(t)
	}
}

// working waits until the instance is ready and has partitions of which it reads records.
func (i *instance) working(t *testing.T) {
	t.Helper()
	i.process().ready(t)
	read := func() int { return int(sum(i.process().metrics(t), recordsMetric)) }
	before := read()
	eventually(t, time.Minute, func() error {
		if err := moreThan(read(), before); err != nil {
			return fmt.Errorf("instance %s is alive and reads nothing: %w", i.name, err)
		}
		return nil
	})
}
