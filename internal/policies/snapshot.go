package policies

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/regionwatch/regionwatch/internal/learn"
	"github.com/regionwatch/regionwatch/internal/scan"
)

// snapshot is what was learned so far and from which files. It is kept in a file: a line with the format's version, then
// a checksummed zstd frame of gob.
type snapshot struct {
	name    string
	learner *learn.Learner
	state   snapshotState
}

// snapshotState is what a snapshot says besides the learner's state.
type snapshotState struct {
	// Done has the finished files: a hash of the name, and one of the size and the modification time.
	Done                                 map[uint64]uint64
	Files, Unreadable                    int
	Bytes, Records, DeadLettered, Events uint64
}

const snapshotHead = "regionwatch policy learn, snapshot version "

// openSnapshot reads a snapshot into an empty learner. One that does not exist is empty.
func openSnapshot(name string, learner *learn.Learner) (*snapshot, error) {
	s := &snapshot{name: name, learner: learner}
	s.state.Done = make(map[uint64]uint64)
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 1<<20)
	head, _ := in.ReadSlice('\n') // what is missing shows below
	version, ok := strings.CutPrefix(string(head), snapshotHead)
	switch {
	case !ok:
		return nil, fmt.Errorf("%s is not a snapshot", name)
	case version != strconv.Itoa(learn.SnapshotVersion)+"\n":
		return nil, fmt.Errorf("%s has version %.10q, this program reads and writes version %d; learn again with another file", name, strings.TrimSpace(version), learn.SnapshotVersion)
	}
	if err := s.read(in); err != nil {
		return nil, fmt.Errorf("%s is damaged; delete it and learn again: %w", name, err)
	}
	return s, nil
}

func (s *snapshot) read(r io.Reader) error {
	text, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return err
	}
	defer text.Close()
	buffered := bufio.NewReader(text) // gob would make its own and read ahead
	in := gob.NewDecoder(buffered)
	if err = in.Decode(&s.state); err == nil {
		err = s.learner.Decode(in)
	}
	if err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, buffered) // the checksum is at the end
	if err == nil && n > 0 {
		err = fmt.Errorf("%d bytes follow its end", n)
	}
	return err
}

// write replaces the file. It holds the snapshot before or this one, never a part.
func (s *snapshot) write() error {
	file, err := os.CreateTemp(filepath.Dir(s.name), filepath.Base(s.name)+".*")
	if err != nil {
		return err
	}
	if err = errors.Join(s.encode(file), file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), s.name)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}

func (s *snapshot) encode(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%s%d\n", snapshotHead, learn.SnapshotVersion); err != nil {
		return err
	}
	text, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(text, 64<<10)
	out := gob.NewEncoder(buffered)
	if err = out.Encode(&s.state); err == nil {
		err = s.learner.Encode(out)
	}
	return errors.Join(err, buffered.Flush(), text.Close())
}

// check refuses sources that cannot be told apart in another run, and files that changed after they were learned from.
func (s *snapshot) check(sources []scan.Source) error {
	if info, err := os.Stat(s.name); err == nil {
		if err := scan.CheckOutput(s.name, info, sources); err != nil {
			return err
		}
	}
	for i := range sources {
		f := &sources[i]
		if f.Size < 0 {
			return fmt.Errorf("%s is a stream, which cannot be continued; name files or folders", f.Name)
		}
		if known, done := s.state.Done[nameHash(f)]; done && known != stateHash(f) {
			return fmt.Errorf("%s changed after %s learned from it, and that cannot be taken back; learn again with another snapshot", f.Name, s.name)
		}
	}
	return nil
}

// rest returns the sources that are not finished, and the size of the others.
func (s *snapshot) rest(sources []scan.Source) (rest []scan.Source, skipped int64) {
	for i := range sources {
		if _, done := s.state.Done[nameHash(&sources[i])]; done {
			skipped += sources[i].Size
		} else {
			rest = append(rest, sources[i])
		}
	}
	return rest, skipped
}

func (s *snapshot) finish(f *scan.Source) { s.state.Done[nameHash(f)] = stateHash(f) }

func (s *snapshot) count(stage *scan.Summary) {
	s.state.Files += stage.Files
	s.state.Unreadable += stage.Unreadable
	s.state.Bytes += stage.Bytes
	s.state.Records += stage.Counts.Records
	s.state.DeadLettered += stage.Counts.DeadLettered
	s.state.Events += stage.Counts.Events
}

// addTo adds the counts to a summary.
func (s *snapshot) addTo(total *scan.Summary) {
	total.Files += s.state.Files
	total.Unreadable += s.state.Unreadable
	total.Bytes += s.state.Bytes
	total.Counts.Records += s.state.Records
	total.Counts.Done += s.state.Records - s.state.DeadLettered
	total.Counts.DeadLettered += s.state.DeadLettered
	total.Counts.Events += s.state.Events
}

func nameHash(f *scan.Source) uint64 { return xxhash.Sum64String(filepath.Clean(f.Name)) }

func stateHash(f *scan.Source) uint64 {
	return xxhash.Sum64String(strconv.FormatInt(f.Size, 10) + "/" + strconv.FormatInt(f.Changed, 10))
}
