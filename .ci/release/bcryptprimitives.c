/* A library that Windows has and Debian's Wine (8.0) has not, with the one function that programs made by Bun want. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE into, SIZE_T length) {
  return RtlGenRandom(into, (ULONG)length);
}
