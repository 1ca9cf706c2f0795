// Package s3 is the file store in a bucket of an S3-compatible service. It owns
// how attachments travel to and from the bucket, and what its errors mean; the
// rules decide what is stored and who may see it. minio-go is confined here.
//
// A file lies at prefix/ab/ab..., as in the folder: copying one into the other
// moves the store. What is larger than a part goes up as a multipart upload, one
// part in memory at a time. What is read comes in ranged GETs, which go on behind a
// cut. Whatever neither moves nor answers for a while is given up and tried again,
// a few times.
//
// The package starts no goroutines but those of net/http's connections, which end
// with Close.
package s3
