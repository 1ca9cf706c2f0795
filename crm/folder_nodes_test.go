package crm_test

import (
	"sync"
	"testing"

	"chatcast/crm"
)

// TestWritableOnSeveralNodes lets nodes that share a folder look at the same time whether it
// can be written to.
func TestWritableOnSeveralNodes(t *testing.T) {
	folder := crm.Folder(t.TempDir())
	var nodes sync.WaitGroup
	for range 4 {
		nodes.Go(func() {
			for range 50 {
				if err := folder.Writable(t.Context()); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	nodes.Wait()
}
