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

// Folder is the path of a folder as a FileStore. It is made when it is needed,
// for the program's user alone: a file lies at ab/ab..., by the first two letters
// of its id.
type Folder string

var _ FileStore = Folder("")

const partSuffix = ".part" // of a file that is still being written

// at is where a file lies. id must have the form of one.
func (f Folder) at(id string) string { return filepath.Join(string(f), id[:2], id) }

// Put implements FileStore: what is written is synced, and then gets its name.
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

// ignoreNotExist is err, or nil when err says that the file does not exist.
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

// oldIn is Old of one of the folders in it; false: no more is wanted.
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
			continue // removed meanwhile, not ours, or young
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
