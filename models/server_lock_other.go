//go:build !unix

package models

import "os"

// lockFile holds the file open. These systems have no flock, so a second process is not
// noticed.
func lockFile(path string) (release func() error, err error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	return f.Close, nil
}
