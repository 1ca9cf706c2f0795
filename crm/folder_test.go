package crm_test

import (
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
)

// TestFolder runs the same checks that crm/s3 runs on the bucket.
func TestFolder(t *testing.T) {
	crmtest.CheckFileStore(t, crm.Folder(t.TempDir()), 12<<20)
}
