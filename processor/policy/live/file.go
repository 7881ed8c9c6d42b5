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

// settleTime is how long to wait after the first sign of a change before reading the files, because editors write in
// several steps. Later changes are handled separately.
const settleTime = 100 * time.Millisecond

// watchFile reloads the policy when one of its files changes and on SIGHUP, until ctx ends.
//
// It watches folders, not files: editors and Kubernetes replace a file, or the target of a symbolic link, and a watch
// on the old one would end with it.
func (s *Source) watchFile(ctx context.Context) error {
	hangUp := make(chan os.Signal, 1)
	signal.Notify(hangUp, syscall.SIGHUP)
	defer signal.Stop(hangUp)
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		s.o.Logger.Warn("watching the policy; SIGHUP still reloads it", "error", err)
		s.follow(ctx, nil, hangUp, nil, nil)
		return nil
	}
	defer watcher.Close()
	s.follow(ctx, watcher, hangUp, watcher.Events, watcher.Errors)
	return nil
}

// follow reloads the policy at each sign of a change, until ctx ends. The watcher is nil if the system could not
// provide one.
func (s *Source) follow(ctx context.Context, watcher *fsnotify.Watcher, hangUp <-chan os.Signal, events <-chan fsnotify.Event, faults <-chan error) {
	s.watchFolders(watcher)
	s.reload(watcher) // it may have changed since the start

	var settled <-chan time.Time // nil unless there is a sign of a change
	hourly := time.Tick(warnEvery)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hourly:
			s.warn()
		case <-hangUp:
			s.fault = ""            // a SIGHUP asks for an answer, even the same one
			s.watchFolders(watcher) // folders removed and made again are no longer watched
			s.reload(watcher)
		case event := <-events:
			if settled == nil && s.concerns(event.Name) {
				settled = time.After(settleTime)
			}
		case err := <-faults:
			// Events may be lost: only reloading shows what changed.
			s.o.Logger.Warn("watching the policy", "error", err)
			settled = time.After(settleTime)
		case <-settled:
			settled = nil
			s.watchFolders(watcher)
			s.reload(watcher)
		}
	}
}

// reload reads the policy again. If it then watches new folders, changes in them may have been missed, so it reads once
// more.
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

// watchFolders watches the folders of all files of the policy, and reports whether one of them is new.
func (s *Source) watchFolders(watcher *fsnotify.Watcher) (more bool) {
	if watcher == nil {
		return false
	}
	watched := len(watcher.WatchList())
	for folder := range s.folders() {
		// The policy's own fault reports a missing folder.
		if err := watcher.Add(folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.o.Logger.Warn("watching a folder of the policy; SIGHUP still reloads it", "folder", folder, "error", err)
		}
	}
	return len(watcher.WatchList()) > watched
}

// folders returns the folders of the policy's files, and those that links to them lead to.
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

// existing returns the folder, or its nearest existing ancestor, in which a missing one will appear.
func existing(folder string) string {
	for {
		parent := filepath.Dir(folder)
		if _, err := os.Stat(folder); err == nil || parent == folder {
			return folder
		}
		folder = parent
	}
}

// files returns the files and folders of the policy in force, and those of a broken one that did not replace it: the
// fix may appear in a folder that is new to us.
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

// concerns reports whether a change to that name may change the policy. Other programs may write into the same folder
// all the time. Names that Kubernetes swaps begin with two dots.
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
