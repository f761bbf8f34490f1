//go:build unix

package server

import "syscall"

// outsideHeap gives memory of which the garbage collector knows nothing: what is there from the
// start and for good would only let it wait for as much garbage again.
func outsideHeap(size int) (memory []byte, release func([]byte)) {
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return make([]byte, size), func([]byte) {}
	}
	return memory, func(b []byte) { syscall.Munmap(b) }
}
