package live

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settleTime is how long after the first sign of a change the files are read: an editor writes in several steps. What
// changes later is a change of its own.
const settleTime = 100 * time.Millisecond

// watchFile reads the policy again when one of its files changes and on SIGHUP, until ctx ends.
//
// The folders are watched, not the files: editors and Kubernetes put a new file, or a new target of a symbolic link, in
// the place of the old one, and a watch on that would end with it.
func (s *Source) watchFile(ctx context.Context) error {
	hangUp := make(chan os.Signal, 1)
	signal.Notify(hangUp, syscall.SIGHUP)
	defer signal.Stop(hangUp)
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		s.o.Logger.Warn("watching the policy; SIGHUP makes it read all the same", "error", err)
		s.follow(ctx, nil, hangUp, nil, nil)
		return nil
	}
	defer watcher.Close()
	s.follow(ctx, watcher, hangUp, watcher.Events, watcher.Errors)
	return nil
}

// follow reads the policy again at each sign of a change, until ctx ends. The watcher is nil where the system has none to
// give.
func (s *Source) follow(ctx context.Context, watcher *fsnotify.Watcher, hangUp <-chan os.Signal, events <-chan fsnotify.Event, faults <-chan error) {
	s.watchFolders(watcher)
	s.reload(watcher) // what changed since the start

	pending := false
	settled := time.NewTimer(0)
	<-settled.C
	hourly := time.NewTicker(warnEvery)
	defer hourly.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hourly.C:
			s.warn()
		case <-hangUp:
			s.fault = ""            // whoever asks wants an answer
			s.watchFolders(watcher) // those that were removed and made anew are watched no more
			s.reload(watcher)
		case event := <-events:
			if !pending && s.concerns(event.Name) {
				settled.Reset(settleTime)
				pending = true
			}
		case err := <-faults:
			// Events may be lost: only reading shows what changed.
			s.o.Logger.Warn("watching the policy", "error", err)
			settled.Reset(settleTime)
			pending = true
		case <-settled.C:
			pending = false
			s.watchFolders(watcher)
			s.reload(watcher)
		}
	}
}

// reload reads the policy again. If that leads to folders that were not watched, changes in them may have gone unnoticed:
// then it reads once more.
func (s *Source) reload(watcher *fsnotify.Watcher) {
	for {
		next, err := LoadFile(s.o.File, s.o.Keys)
		if next.File != nil {
			s.tried = next.File.Files
		}
		if !s.watchFolders(watcher) {
			s.replace(next, err)
			return
		}
	}
}

// watchFolders watches the folders of all files that the policy is made of, and reports whether one of them was not
// watched before.
func (s *Source) watchFolders(watcher *fsnotify.Watcher) (more bool) {
	if watcher == nil {
		return false
	}
	watched := len(watcher.WatchList())
	for folder := range s.folders() {
		// That there is none is what the policy's own fault says.
		if err := watcher.Add(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.o.Logger.Warn("watching a folder of the policy; SIGHUP makes it read all the same", "folder", folder, "error", err)
		}
	}
	return len(watcher.WatchList()) > watched
}

// folders returns where the files are that the policy is made of, and where links to them lead.
func (s *Source) folders() map[string]bool {
	folders := map[string]bool{}
	for _, name := range s.files() {
		folders[existing(filepath.Dir(name))] = true
		if target, err := filepath.EvalSymlinks(name); err == nil {
			folders[filepath.Dir(target)] = true
		}
		if info, err := os.Stat(name); err == nil && info.IsDir() {
			folders[name] = true
		}
	}
	return folders
}

// existing returns the folder, or its nearest ancestor that exists: that is where a missing one will appear.
func existing(folder string) string {
	for {
		parent := filepath.Dir(folder)
		if _, err := os.Stat(folder); err == nil || parent == folder {
			return folder
		}
		folder = parent
	}
}

// files returns the files and folders that the policy is made of, and those of a broken one that did not replace it:
// what mends it may be in a folder that is new to us.
func (s *Source) files() []string {
	names := append([]string{s.o.File}, s.tried...)
	if file := s.current.Load().File; file != nil {
		names = append(names, file.Files...)
	}
	if s.o.Keys == nil {
		return names
	}
	for _, name := range slices.Clone(names) {
		names = append(names, name+signatureSuffix)
	}
	return names
}

// concerns reports whether a change of that name may change the policy. Others may write into the same folder all the
// time. What Kubernetes swaps begins with two dots.
func (s *Source) concerns(changed string) bool {
	base := filepath.Base(changed)
	if strings.HasPrefix(base, "..") {
		return true
	}
	for _, name := range s.files() {
		target, err := filepath.EvalSymlinks(name)
		name = filepath.Clean(name)
		if filepath.Base(name) == base || err == nil && filepath.Base(target) == base || name == filepath.Dir(changed) ||
			strings.HasPrefix(name, filepath.Clean(changed)+string(filepath.Separator)) {
			return true
		}
	}
	return false
}
