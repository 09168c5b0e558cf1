#include "textflag.h"

// func handlerAddress() uintptr
TEXT ·handlerAddress(SB), NOSPLIT, $0-8
	MOVD $handler<>(SB), R0
	MOVD R0, ret+0(FP)
	RET

// The kernel calls it on the thread's signal stack. It never returns.
TEXT handler<>(SB), NOSPLIT|NOFRAME|TOPFRAME, $0
	MOVD $·length(SB), R3

take:
	LDAXR (R3), R2
	STLXR ZR, (R3), R4
	CBNZ  R4, take
	CBZ   R2, told        // the line is the first one's to write
	MOVD  $2, R0          // write(2, text, length)
	MOVD  ·text(SB), R1
	MOVD  $64, R8
	SVC
	B     end

told:
	MOVD $·pause(SB), R0  // nanosleep(&pause, NULL)
	MOVD $0, R1
	MOVD $101, R8
	SVC

end:
	MOVD $1, R0           // exit_group(1)
	MOVD $94, R8
	SVC
	BRK
