package crm_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"chatcast/crm"
	"chatcast/crm/crmtest"
	"chatcast/models"
	"chatcast/models/testdb"
)

// watchedStore is a FileStore that can be made to fail. It also checks the order of the
// rules: a file is stored before a row names it, and deleted after the row.
type watchedStore struct {
	crm.FileStore
	t    *testing.T
	rows *models.Store

	mu          sync.Mutex
	unavailable bool // guarded by mu
}

func watch(t *testing.T, w *crmtest.World) *watchedStore {
	s := &watchedStore{FileStore: w.Files, t: t, rows: w.Store}
	w.Files = s
	return s
}

var errUnavailable = errors.New("connection refused")

func (s *watchedStore) setUnavailable(unavailable bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unavailable = unavailable
}

func (s *watchedStore) fault() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.unavailable {
		return errUnavailable
	}
	return nil
}

func (s *watchedStore) named(id string) bool {
	known, err := s.rows.Read(context.Background()).KnownFiles([]string{id})
	if err != nil {
		s.t.Error(err)
	}
	return known[id]
}

func (s *watchedStore) Put(ctx context.Context, id string, r io.Reader) error {
	if err := s.fault(); err != nil {
		return err
	}
	if s.named(id) {
		s.t.Errorf("a row names %s before it is there", id)
	}
	return s.FileStore.Put(ctx, id, r)
}

func (s *watchedStore) Open(ctx context.Context, id string) (io.ReadSeekCloser, int64, error) {
	if err := s.fault(); err != nil {
		return nil, 0, err
	}
	return s.FileStore.Open(ctx, id)
}

func (s *watchedStore) Delete(ctx context.Context, id string) error {
	if s.named(id) {
		s.t.Errorf("a row names %s, which is deleted", id)
	}
	return s.FileStore.Delete(ctx, id)
}

// TestFileStoreUnavailable checks that callers get an error that tells them to try
// again, that nothing is half done, and that no file is given up.
func TestFileStoreUnavailable(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		files := watch(t, w)
		sendFile(t, w, w.Operator, "a.txt", "", []byte("hello"), "")
		sent := fileOf(t, w, "message")["link"].(string)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{picture("F1", 5000)}})
		link, id := fileOf(t, w, "message")["link"].(string), fetch(t, w)[0].ID

		files.setUnavailable(true)
		_, err := w.StoreUpload(t.Context(), w.Operator, chatAt(onGr, anna), "b.txt", "", strings.NewReader("x"))
		wantCode(t, "an upload", err, crm.CodeUnavailable, "")
		_, err = open(t, w, sent)
		wantCode(t, "a download", err, crm.CodeUnavailable, "")
		got := happens(t, w, func() {
			wantCode(t, "a file that comes", w.FileFetched(t.Context(), onGr, id, strings.NewReader("the cat")), crm.CodeUnavailable, "")
		})
		if list := fetch(t, w); got != "" || len(list) != 1 || list[0].Attempts != 0 {
			t.Errorf("it causes %q, and to fetch is %+v", got, list)
		}

		files.setUnavailable(false)
		if err := w.FileFetched(t.Context(), onGr, id, strings.NewReader("the cat")); err != nil {
			t.Fatal(err)
		}
		for l, want := range map[string]string{sent: "hello", link: "the cat"} {
			if b, err := open(t, w, l); err != nil || b != want {
				t.Errorf("afterwards %q, %v", b, err)
			}
		}
		if n := storedFiles(t, w); n != 2 {
			t.Errorf("%d files are stored", n)
		}
	})
}

// TestFileThatComesTwiceAtOnce stores the same file twice at the same time. One whole
// file must remain, with one event.
func TestFileThatComesTwiceAtOnce(t *testing.T) {
	testdb.Each(t, func(t *testing.T, store *models.Store) {
		w, _ := paired(t, store)
		watch(t, w)
		ingest(t, w, crm.InboundBatch{Messages: []crm.InboundMessage{picture("F1", 5000)}})
		link, id := fileOf(t, w, "message")["link"].(string), fetch(t, w)[0].ID
		var g errgroup.Group
		got := happens(t, w, func() {
			for i := range 6 {
				g.Go(func() error {
					return w.FileFetched(t.Context(), onGr, id, bytes.NewReader(bytes.Repeat([]byte{byte('a' + i)}, 1000*(i+1))))
				})
			}
			if err := g.Wait(); err != nil {
				t.Error(err)
			}
		})
		b, err := open(t, w, link)
		if size := fileOf(t, w, "messageEdit")["size"]; err != nil || got != "messageEdit" || size != float64(len(b)) || strings.Trim(b, b[:1]) != "" {
			t.Errorf("%q; %d bytes came, told are %v, %v", got, len(b), size, err)
		}
		if n := storedFiles(t, w); n != 1 {
			t.Errorf("%d files are stored", n)
		}
		if f, err := w.OpenStored(t.Context(), onGr, id); err != nil {
			t.Error(err)
		} else if err := f.Content.Close(); err != nil {
			t.Error(err)
		}
		// Sweep does not remove it, although its stored id is not its row's id.
		w.Clock.Advance(365 * 24 * 60 * 60 * 1e9)
		if err := w.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := storedFiles(t, w); n != 1 {
			t.Errorf("%d files are left", n)
		}
	})
}

// TestNoFileStore checks that a Service without a file store returns errors and does
// not panic.
func TestNoFileStore(t *testing.T) {
	w := crmtest.New(t, testdb.Open(t, testdb.SQLiteURL(t)))
	bare := crm.New(crm.Options{Store: w.Store, Live: w.Live, Log: w.Log, Messengers: w.Messengers})
	_, err := bare.StoreUpload(t.Context(), w.Operator, chatAt(onGr, ann), "a", "", strings.NewReader("x"))
	wantCode(t, "an upload", err, crm.CodeUnavailable, "")
	if err := bare.Sweep(t.Context()); err != nil || errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
