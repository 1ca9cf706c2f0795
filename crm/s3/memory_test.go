package s3_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"chatcast/crm/crmtest"
)

// endless is a reader of size zero bytes that are not in memory.
type endless struct{ at, size int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.at >= e.size {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.size-e.at)
	clear(p[:n])
	e.at += n
	return int(n), nil
}

func (e *endless) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += e.at
	case io.SeekEnd:
		offset += e.size
	}
	e.at = offset
	return offset, nil
}

// heavy is an S3 that stores nothing: it counts the bytes put, and serves zeros.
type heavy struct {
	size  int64
	taken int64
}

func (h *heavy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/xml")
	w.Header().Set("ETag", `"e"`)
	query := r.URL.Query()
	switch {
	case r.Method == "POST" && query.Has("uploads"):
		fmt.Fprint(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
	case r.Method == "PUT":
		n, _ := io.Copy(io.Discard, r.Body)
		h.taken += n
	case r.Method == "POST":
		_, _ = io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, "<CompleteMultipartUploadResult><Bucket>attachments</Bucket><ETag>e</ETag></CompleteMultipartUploadResult>")
	default:
		http.ServeContent(w, r, "", time.Now(), &endless{size: h.size})
	}
}

// heap returns the size of the live heap, in bytes.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// watched records the largest live heap while it is read.
type watched struct {
	io.Reader
	next, read, most int64
}

func (w *watched) Read(p []byte) (int, error) {
	if w.read >= w.next {
		w.most, w.next = max(w.most, heap()), w.next+8<<20
	}
	n, err := w.Reader.Read(p)
	w.read += int64(n)
	return n, err
}

// TestLargeFilesAreNotInMemory checks that of a file of 160 MiB one part is in memory
// during an upload, and less during a download.
func TestLargeFilesAreNotInMemory(t *testing.T) {
	const size, few = 160 << 20, 8 << 20
	service := &heavy{size: size}
	srv := httptest.NewServer(service)
	defer srv.Close()
	o := options(srv.URL)
	o.Region = "us-east-1"
	s := quick(t, o)
	before := heap()
	up := &watched{Reader: &endless{size: size}}
	if err := s.Put(t.Context(), crmtest.FileID("ab"), up); err != nil {
		t.Fatal(err)
	}
	if grew := up.most - before; service.taken != size || grew > few {
		t.Errorf("of %d bytes %d arrived, and %d were in memory at once", int64(size), service.taken, grew)
	}
	f, n, err := s.Open(t.Context(), crmtest.FileID("ab"))
	if err != nil {
		t.Fatal(err)
	}
	down := &watched{Reader: f}
	got, err := io.Copy(io.Discard, down)
	if err := errors.Join(err, f.Close()); err != nil || got != size || n != size {
		t.Errorf("%d of %d bytes came, %v", got, n, err)
	}
	if grew := down.most - before; grew > few {
		t.Errorf("%d bytes were in memory at once coming down", grew)
	}
}
