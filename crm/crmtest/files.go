package crmtest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"chatcast/crm"
)

// Bytes returns n pseudo-random bytes, the same for the same n. They do not compress,
// and a mistake in the order of parts changes them.
func Bytes(n int) []byte {
	b := make([]byte, n)
	rand.NewChaCha8([32]byte{byte(n)}).Read(b)
	return b
}

// FileID returns a file's id that begins with the two letters given.
func FileID(beginning string) string { return beginning + strings.Repeat("0", 30) }

// CheckFileStore tests that an empty store does what crm.FileStore promises. size is
// the size of its larger files, in bytes.
func CheckFileStore(t *testing.T, store crm.FileStore, size int) {
	t.Run("put and read", func(t *testing.T) { checkReading(t, store, size) })
	t.Run("range", func(t *testing.T) { checkRanges(t, store, size) })
	t.Run("half a file", func(t *testing.T) { checkHalf(t, store, size) })
	t.Run("delete", func(t *testing.T) { checkDelete(t, store) })
	t.Run("old", func(t *testing.T) { checkOld(t, store) })
}

// Put puts b under id, and fails the test when that fails.
func Put(t *testing.T, store crm.FileStore, id string, b []byte) {
	t.Helper()
	if err := store.Put(t.Context(), id, bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
}

// Get reads the file with this id.
func Get(t *testing.T, store crm.FileStore, id string) ([]byte, error) {
	t.Helper()
	f, size, err := store.Open(t.Context(), id)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err == nil && size != int64(len(b)) {
		t.Errorf("its size is told as %d, and it has %d bytes", size, len(b))
	}
	return b, err
}

func checkReading(t *testing.T, store crm.FileStore, size int) {
	for _, n := range []int{0, 1, 100_000, size} {
		id := FileID("0" + string(rune('a'+n%5)))
		Put(t, store, id, Bytes(n))
		if b, err := Get(t, store, id); err != nil || !bytes.Equal(b, Bytes(n)) {
			t.Errorf("of %d bytes come back %d, %v", n, len(b), err)
		}
		if err := store.Delete(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	id := FileID("10")
	if err := store.Put(t.Context(), id, iotest.OneByteReader(bytes.NewReader(Bytes(1000)))); err != nil {
		t.Fatal(err)
	}
	if b, err := Get(t, store, id); err != nil || !bytes.Equal(b, Bytes(1000)) {
		t.Errorf("of what came byte by byte come back %d, %v", len(b), err)
	}
	f, _, err := store.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if err := iotest.TestReader(f, Bytes(1000)); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := f.Read(make([]byte, 1)); err == nil {
		t.Error("a closed file is read")
	}
}

// checkRanges requests ranges, as a browser that plays a video does.
func checkRanges(t *testing.T, store crm.FileStore, size int) {
	id, all := FileID("20"), Bytes(size)
	Put(t, store, id, all)
	for asked, want := range map[string][]byte{
		"bytes=0-0": all[:1], "bytes=10-99": all[10:100], "bytes=-5": all[size-5:], "bytes=1000-": all[1000:], "": all,
	} {
		f, _, err := store.Open(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/", http.NoBody)
		if asked != "" {
			r.Header.Set("Range", asked)
		}
		rec := httptest.NewRecorder()
		http.ServeContent(rec, r, "a.bin", time.Now(), f)
		if !bytes.Equal(rec.Body.Bytes(), want) {
			t.Errorf("%q gives %d with %d bytes, want %d", asked, rec.Code, rec.Body.Len(), len(want))
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func checkHalf(t *testing.T, store crm.FileStore, size int) {
	gone := errors.New("the sender has gone")
	for i, n := range []int{0, 10, size} {
		id := FileID("3" + string(rune('0'+i)))
		err := store.Put(t.Context(), id, io.MultiReader(bytes.NewReader(Bytes(n)), iotest.ErrReader(gone)))
		if !errors.Is(err, gone) {
			t.Errorf("a sender that goes after %d bytes is told as %v", n, err)
		}
		if _, err := Get(t, store, id); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("half a file of %d bytes is there: %v", n, err)
		}
	}
}

func checkDelete(t *testing.T, store crm.FileStore) {
	id, other := FileID("40"), FileID("41")
	Put(t, store, id, []byte("one"))
	Put(t, store, other, []byte("two"))
	for range 2 { // deleting a missing file is no error
		if err := store.Delete(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if _, err := Get(t, store, id); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a deleted file: %v", err)
	}
	if b, err := Get(t, store, other); err != nil || string(b) != "two" {
		t.Errorf("the file beside it: %q, %v", b, err)
	}
}

// checkOld also expects the files that earlier checks left.
func checkOld(t *testing.T, store crm.FileStore) {
	ids := []string{FileID("50"), FileID("51"), FileID("52")}
	for _, id := range ids {
		Put(t, store, id, []byte("old"))
	}
	list := func(at time.Time) (found []string) {
		for id, err := range store.Old(t.Context(), at) {
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, id)
		}
		return found
	}
	if young := list(time.Now().Add(-time.Hour)); len(young) != 0 {
		t.Errorf("put an hour ago were %v", young)
	}
	found := list(time.Now().Add(time.Hour))
	for _, id := range ids {
		if !slices.Contains(found, id) {
			t.Errorf("%s is not among the old: %v", id, found)
		}
	}
	n := 0
	for id, err := range store.Old(t.Context(), time.Now().Add(time.Hour)) {
		if err == nil {
			err = store.Delete(t.Context(), id)
		}
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if left := list(time.Now().Add(time.Hour)); n != len(found) || len(left) != 0 {
		t.Errorf("%d of %d were deleted, left are %v", n, len(found), left)
	}
	for range store.Old(t.Context(), time.Now().Add(time.Hour)) { // a caller that stops at once
		break
	}
}
