package webhook

import (
	"context"
	"sync"
)

// places bounds how many POSTs run at once: of all companies, and of each.
type places struct {
	all  chan struct{} // a token for each POST that runs
	each int

	mu sync.Mutex
	of map[int64]*companyPlaces // by company, without those that are not used; guarded by mu
}

type companyPlaces struct {
	tokens chan struct{}
	users  int // have a token or wait for one; guarded by places.mu
}

func newPlaces(all, each int) *places {
	return &places{all: make(chan struct{}, all), each: each, of: map[int64]*companyPlaces{}}
}

// take waits for a place. The caller gives it back with leave, which is nil when ctx ends
// before there is one.
func (p *places) take(ctx context.Context, companyID int64) (leave func()) {
	p.mu.Lock()
	own := p.of[companyID]
	if own == nil {
		own = &companyPlaces{tokens: make(chan struct{}, p.each)}
		p.of[companyID] = own
	}
	own.users++
	p.mu.Unlock()
	unused := func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if own.users--; own.users == 0 {
			delete(p.of, companyID)
		}
	}
	select {
	case own.tokens <- struct{}{}:
	case <-ctx.Done():
		unused()
		return nil
	}
	select {
	case p.all <- struct{}{}: // last: nobody holds one of these and waits
	case <-ctx.Done():
		<-own.tokens
		unused()
		return nil
	}
	return func() {
		<-p.all
		<-own.tokens
		unused()
	}
}
