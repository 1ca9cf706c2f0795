package server

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

// Limits of bodies that are held in memory whole.
const (
	smallBody  = 1 << 20   // bytes; those up to it are not counted
	bodyMemory = 192 << 20 // of all larger ones together
	bodyWait   = time.Minute
	bodyRate   = 128 << 10 // bytes per second that a large one must have on average, after the first 30 s
	bodyAnswer = 5 * time.Minute
)

// Errors of Bodies.
var (
	ErrBodyMemory = errors.New("server: too many large bodies are in memory")
	ErrSlowBody   = errors.New("server: a large body came too slowly")
)

// Bodies reads bodies whole. Large ones take memory, of which there is so much for all and half
// as much for each holder. So a holder whose bodies hardly move keeps his own others waiting, and
// not everybody. It is safe for concurrent use.
type Bodies struct {
	all *semaphore.Weighted

	mu      sync.Mutex
	holders map[int64]*bodyHolder // guarded by mu
}

// bodyHolder is the part of a holder.
type bodyHolder struct {
	part  *semaphore.Weighted
	users int // who have it, or wait for it; guarded by Bodies.mu
}

// NewBodies returns a Bodies.
func NewBodies() *Bodies {
	return &Bodies{all: semaphore.NewWeighted(bodyMemory), holders: map[int64]*bodyHolder{}}
}

// Read returns the body of a request, which may have limit bytes, at most 96 MiB. It is a
// holder's, such as a company's. The caller calls release when the bytes are no longer used, also
// after an error. It returns ErrTooLarge, ErrBodyMemory, ErrSlowBody, and errors of the connection.
func (b *Bodies) Read(w http.ResponseWriter, r *http.Request, holder, limit int64) (body []byte, release func(), err error) {
	release = func() {}
	size := r.ContentLength
	if size > limit {
		return nil, release, ErrTooLarge
	}
	var buf bytes.Buffer
	from := http.MaxBytesReader(w, r.Body, limit)
	if size < 0 { // most of those whose size is not told are small
		size = limit
		if _, err = buf.ReadFrom(io.LimitReader(from, smallBody)); err != nil || buf.Len() < smallBody {
			return buf.Bytes(), release, bodyError(err)
		}
	}
	paced := &pacedBody{Reader: from, began: time.Now()}
	if size > smallBody {
		if release, err = b.Hold(r.Context(), holder, size); err != nil {
			return nil, func() {}, err
		}
		BoundUpload(w, r, bodyAnswer)
		paced.began = time.Now()
		if r.ContentLength > 0 { // so that it is not copied while it grows
			buf.Grow(int(size) + bytes.MinRead)
		}
	}
	_, err = buf.ReadFrom(paced)
	return buf.Bytes(), release, bodyError(err)
}

// bodyError returns the error of Read for one of reading.
func bodyError(err error) error {
	var over *http.MaxBytesError
	if errors.As(err, &over) {
		return ErrTooLarge
	}
	return err
}

// Hold waits for memory, of the holder's part and of all, such as for what is made of a file. The
// caller calls release when it is no longer used. Who asks for more than a holder may have gets
// all of it. It returns ErrBodyMemory, and errors of ctx.
func (b *Bodies) Hold(ctx context.Context, holder, size int64) (release func(), err error) {
	size = min(size, bodyMemory/2)
	ctx, cancel := context.WithTimeoutCause(ctx, bodyWait, ErrBodyMemory)
	defer cancel()
	b.mu.Lock()
	h := b.holders[holder]
	if h == nil {
		h = &bodyHolder{part: semaphore.NewWeighted(bodyMemory / 2)}
		b.holders[holder] = h
	}
	h.users++
	b.mu.Unlock()
	leave := func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if h.users--; h.users == 0 {
			delete(b.holders, holder)
		}
	}
	if h.part.Acquire(ctx, size) != nil {
		leave()
		return nil, context.Cause(ctx)
	}
	if b.all.Acquire(ctx, size) != nil {
		h.part.Release(size)
		leave()
		return nil, context.Cause(ctx)
	}
	return func() {
		b.all.Release(size)
		h.part.Release(size)
		leave()
	}, nil
}

// pacedBody fails when its bytes come too slowly. BoundUpload ends longer pauses.
type pacedBody struct {
	io.Reader
	began time.Time
	read  int64
}

func (b *pacedBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.read += int64(n)
	if late := time.Since(b.began) - bodyTime; err == nil && late > 0 && float64(b.read) < late.Seconds()*bodyRate {
		return n, ErrSlowBody
	}
	return n, err
}

// JSONValues returns about how many values a JSON text has. Each of them takes far more memory
// than its bytes when it is decoded into what may hold any value.
func JSONValues(text []byte) (n int) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[', ',':
			n++
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		}
	}
	return n
}
