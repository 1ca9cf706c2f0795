package crm_test

import (
	"testing"

	"chatcast/crm"
	"chatcast/crm/crmtest"
)

// TestFolder: the same is asked of the bucket, in crm/s3.
func TestFolder(t *testing.T) {
	crmtest.CheckFileStore(t, crm.Folder(t.TempDir()), 12<<20)
}
