package whatsapptest

import (
	"io"
	"net/http"
	"strconv"
	"time"
)

// FileFault is a fault of a file on the media host.
type FileFault struct {
	Status  int           // 403, 404, 410: the file is gone; 500, 503: it may come back
	Corrupt bool          // one bit is flipped
	Pause   time.Duration // before each 16 KiB
	Stall   int           // after so many bytes the transfer stops, and the connection stays open
	Cut     int           // after so many bytes the connection is cut
	Size    int64         // zeros are appended until the file has this size
}

// Break makes downloads of a file fail. An empty fault repairs it.
func (s *Server) Break(f File, how FileFault) {
	stored, ok := s.media.get(f.DirectPath)
	if !ok {
		return
	}
	s.media.mu.Lock()
	defer s.media.mu.Unlock()
	stored.fault = how
}

// MediaDown makes the media host answer everything with a status. 0 ends it.
func (s *Server) MediaDown(status int) {
	s.media.mu.Lock()
	defer s.media.mu.Unlock()
	s.media.down = status
}

// FailUploads makes the next uploads fail with a status.
func (s *Server) FailUploads(status, times int) {
	s.media.mu.Lock()
	defer s.media.mu.Unlock()
	for range times {
		s.media.refusals = append(s.media.refusals, status)
	}
}

func (h *mediaHost) download(w http.ResponseWriter, r *http.Request) {
	f, ok := h.get(r.URL.Path)
	if !ok {
		http.Error(w, "no such file", http.StatusNotFound)
		return
	}
	h.mu.Lock()
	data, fault := f.data, f.fault
	h.mu.Unlock()
	if fault.Status != 0 {
		http.Error(w, "the file is not here", fault.Status)
		return
	}
	if fault.Corrupt {
		data = append([]byte(nil), data...)
		data[len(data)/2] ^= 1
	}
	size := max(fault.Size, int64(len(data)))
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.Header().Set("Content-Type", "application/octet-stream")
	out := &faultyWriter{w: w, done: r.Context().Done(), fault: fault}
	if _, err := out.Write(data); err != nil {
		return
	}
	if rest := size - int64(len(data)); rest > 0 {
		io.CopyN(out, zeros{}, rest)
	}
}

// faultyWriter writes in pieces and applies the fault at its offset.
type faultyWriter struct {
	w       http.ResponseWriter
	done    <-chan struct{}
	fault   FileFault
	written int
}

const piece = 16 << 10

func (f *faultyWriter) Write(data []byte) (int, error) {
	total := len(data)
	for len(data) > 0 {
		n := min(len(data), piece)
		for _, stop := range []int{f.fault.Stall, f.fault.Cut} {
			if stop > 0 {
				n = min(n, max(stop-f.written, 0))
			}
		}
		if n == 0 {
			return 0, f.stop()
		}
		if f.fault.Pause > 0 {
			select {
			case <-time.After(f.fault.Pause):
			case <-f.done:
				return 0, io.ErrClosedPipe
			}
		}
		if _, err := f.w.Write(data[:n]); err != nil {
			return 0, err
		}
		http.NewResponseController(f.w).Flush()
		f.written += n
		data = data[n:]
	}
	return total, nil
}

// stop applies the fault: it cuts the connection, or waits in silence until the
// client hangs up.
func (f *faultyWriter) stop() error {
	if f.fault.Stall > 0 && f.written >= f.fault.Stall {
		<-f.done
		return io.ErrClosedPipe
	}
	panic(http.ErrAbortHandler)
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
