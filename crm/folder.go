package crm

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Folder is a FileStore in the folder with this path. The folder is created when it is
// needed, accessible only to the program's user. A file lies at ab/ab..., where ab are
// the first two letters of its id.
type Folder string

var _ FileStore = Folder("")

const partSuffix = ".part" // of a file that is still being written

// at returns the path of a file. id must have the form that IsFileID checks.
func (f Folder) at(id string) string { return filepath.Join(string(f), id[:2], id) }

// Put implements FileStore. It syncs the file before it gives it its name.
func (f Folder) Put(_ context.Context, id string, r io.Reader) error {
	final := f.at(id)
	if err := os.MkdirAll(filepath.Dir(final), 0o700); err != nil {
		return err
	}
	out, err := os.OpenFile(final+partSuffix, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, r)
	if err == nil {
		err = out.Sync()
	}
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(final+partSuffix, final)
	}
	if err != nil {
		os.Remove(final + partSuffix)
	}
	return err
}

// probeName and probeSize are of the file that Writable writes.
const (
	probeName = ".write-probe"
	probeSize = 64 << 10
)

// Writable returns an error if a file cannot be stored: the folder is not writable, or
// its disk is full.
func (f Folder) Writable(context.Context) error {
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return err
	}
	path := filepath.Join(string(f), probeName)
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(make([]byte, probeSize))
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if gone := os.Remove(path); !errors.Is(gone, fs.ErrNotExist) { // another node may have removed it
		err = errors.Join(err, gone)
	}
	return err
}

// Open implements FileStore.
func (f Folder) Open(_ context.Context, id string) (io.ReadSeekCloser, int64, error) {
	file, err := os.Open(f.at(id))
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// Delete implements FileStore.
func (f Folder) Delete(_ context.Context, id string) error {
	return ignoreNotExist(os.Remove(f.at(id)))
}

// ignoreNotExist returns err, or nil when err is fs.ErrNotExist.
func ignoreNotExist(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Old implements FileStore.
func (f Folder) Old(_ context.Context, t time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		folders, err := os.ReadDir(string(f))
		if err := ignoreNotExist(err); err != nil {
			yield("", err)
			return
		}
		for _, folder := range folders {
			if folder.IsDir() && len(folder.Name()) == 2 && !oldIn(filepath.Join(string(f), folder.Name()), t, yield) {
				return
			}
		}
	}
}

// oldIn is Old for one subfolder. It returns false when the iteration must end.
func oldIn(dir string, t time.Time, yield func(string, error) bool) bool {
	entries, err := os.ReadDir(dir)
	if err != nil {
		yield("", err)
		return false
	}
	for _, e := range entries {
		id, unfinished := strings.CutSuffix(e.Name(), partSuffix)
		info, err := e.Info()
		if err != nil || !IsFileID(id) || id[:2] != filepath.Base(dir) || !info.ModTime().Before(t) {
			continue // removed meanwhile, not a stored file, or too young
		}
		if !unfinished {
			if !yield(id, nil) {
				return false
			}
			continue
		}
		if err := ignoreNotExist(os.Remove(filepath.Join(dir, e.Name()))); err != nil {
			yield("", err)
			return false
		}
	}
	return true
}
