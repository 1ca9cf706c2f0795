package config

import (
	"fmt"
	"os"

	"chatcast/models/seal"
)

// Setting returns the key of the setting that holds the keys.
func (e EncryptionConfig) Setting() string {
	if e.KeyFile != "" {
		return "encryption.key_file"
	}
	return "encryption.keys"
}

// Load returns the keys, nil if there are none. Its error shows no key.
func (e EncryptionConfig) Load() (*seal.Keys, error) {
	text := e.Keys
	switch {
	case e.Keys == "" && e.KeyFile == "":
		return nil, nil
	case e.Keys != "" && e.KeyFile != "":
		return nil, wrong(e.Setting(), "must be empty when encryption.keys is set: the keys are in one place")
	case e.KeyFile != "":
		b, err := os.ReadFile(e.KeyFile)
		if err != nil {
			return nil, wrong(e.Setting(), "cannot be read: %v", err)
		}
		text = string(b)
	}
	keys, err := seal.Parse(text)
	if err != nil {
		return nil, wrong(e.Setting(), "%v", err)
	}
	return keys, nil
}

// Wrong returns the error of the setting that holds the keys, for keys that do not fit
// the database.
func (e EncryptionConfig) Wrong(format string, args ...any) error {
	return wrong(e.Setting(), format, args...)
}

func wrong(key, format string, args ...any) ConfigError {
	return ConfigError{{key, fmt.Sprintf(format, args...)}}
}

// keyFileNote returns a remark on a file of keys that others can read; empty: none.
func (e EncryptionConfig) keyFileNote() string {
	info, err := os.Stat(e.KeyFile)
	if e.KeyFile == "" || err != nil || info.Mode().Perm()&0o007 == 0 {
		return ""
	}
	return fmt.Sprintf("encryption.key_file can be read by everybody on this machine; chmod 600 %s", e.KeyFile)
}
