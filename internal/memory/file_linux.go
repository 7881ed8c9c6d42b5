package memory

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// releaseFile takes the pages of the program's file out of the process, see madvise(2). What still runs is mapped again when it
// is used, from the page cache. A mapping with pages of its own, such as those that a loader relocates, is left alone.
func releaseFile() {
	for _, m := range fileMappings() {
		_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, m.start, m.end-m.start, syscall.MADV_DONTNEED) // only saves memory
	}
}

// mapping is a part of the program's file in memory that nothing has written to.
type mapping struct {
	start, end uintptr
	resident   int // KiB, for tests
}

// fileMappings reads proc_pid_smaps(5). Where it cannot be read there are none.
func fileMappings() []mapping {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		return nil
	}
	defer file.Close()
	return mappingsIn(file, program)
}

// mappingsIn returns the mappings of a program's file in a text of smaps.
func mappingsIn(smaps io.Reader, program string) []mapping {
	var all []mapping
	var m mapping
	var ours bool
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch {
		case !strings.HasSuffix(fields[0], ":"): // 00400000-014b0000 r-xp 00000000 fe:00 9995041 /bin/regionwatch
			m, ours = mapping{}, strings.HasSuffix(lines.Text(), " "+program) && !strings.Contains(fields[1], "w")
			m.start, m.end = addresses(fields[0])
		case ours && fields[0] == "Rss:":
			m.resident, _ = strconv.Atoi(fields[1])
		case ours && fields[0] == "Anonymous:" && fields[1] == "0":
			all = append(all, m)
		}
	}
	return all
}

func addresses(text string) (start, end uintptr) {
	first, last, _ := strings.Cut(text, "-")
	from, _ := strconv.ParseUint(first, 16, 64)
	to, _ := strconv.ParseUint(last, 16, 64)
	return uintptr(from), uintptr(to)
}
