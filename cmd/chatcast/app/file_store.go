package app

import (
	"context"
	"errors"
	"fmt"

	"chatcast/cmd/chatcast/config"
	"chatcast/crm"
	"chatcast/crm/s3"
)

// openFiles opens the store of attachments: the bucket if one is set, else the folder.
// done releases it.
func openFiles(ctx context.Context, cfg config.FilesConfig) (files crm.FileStore, done func(), err error) {
	if cfg.S3.Bucket == "" {
		return crm.Folder(cfg.Dir), func() {}, nil
	}
	bucket, err := s3.Open(ctx, cfg.S3.Options())
	var wrong *s3.Error
	switch {
	case err == nil:
		return bucket, bucket.Close, nil
	case errors.As(err, &wrong) && wrong.Setting != "":
		return nil, nil, fmt.Errorf("files.s3.%s: %s", wrong.Setting, wrong.Reason())
	}
	return nil, nil, fmt.Errorf("files.s3: %w", err)
}
