package evolution

import (
	"context"
	"io"
	"time"

	"chatcast/crm"
	"chatcast/server/evolution/shape"
)

// Bounds of files in the bodies of webhooks.
const (
	fileWait   = 10 * time.Second // for a file that is still being fetched
	fileLook   = 250 * time.Millisecond
	memoryWait = 5 * time.Second  // for memory, which the company's other files may have
	storeTime  = 20 * time.Second // for the file store
)

// withFile returns the body with the file in it. A file that is too large, that is not there, or for
// which there is no memory in time, is left out: the body has a link to it. The memory is what all
// files in bodies have together, of which one company has half: those of a slow receiver keep no
// other company's waiting. The caller calls done when the body is not needed any more.
func (h *Webhooks) withFile(ctx context.Context, companyID int64, on crm.Line, id string, emit shape.Emit) (body []byte, done func()) {
	link := func() ([]byte, func()) { return emit.Data, func() {} }
	reading, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	file, err := h.open(reading, on, id)
	if err != nil {
		return link()
	}
	defer file.Content.Close()
	if file.Size > h.Base64Max {
		return link()
	}
	wait, stop := context.WithTimeout(reading, memoryWait)
	defer stop()
	release, err := h.memory.Hold(wait, companyID, 3*file.Size) // its bytes, and those in base64
	if err != nil {
		return link()
	}
	content := make([]byte, file.Size) // no more than there is memory for, whatever the store has
	if _, err := io.ReadFull(file.Content, content); err != nil {
		release()
		return link()
	}
	return emit.WithBase64(content), release
}

// open opens a file. One that is still being fetched from the messenger is waited for, not for
// long.
func (h *Webhooks) open(ctx context.Context, on crm.Line, id string) (*crm.Attachment, error) {
	wait, cancel := context.WithTimeout(ctx, fileWait)
	defer cancel()
	look := time.NewTicker(fileLook)
	defer look.Stop()
	for {
		file, err := h.Rules.OpenStored(ctx, on, id)
		if !crm.IsFilePending(err) {
			return file, err
		}
		select {
		case <-wait.Done():
			return nil, err
		case <-look.C:
		}
	}
}
