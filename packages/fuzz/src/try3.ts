import { commandsKind } from "./commands/commandsKind.ts";
import { checkCase } from "./checkCase.ts";
import { runInterrupted } from "@gridgrad/dysample/testing/runCommand";
const by=new Map<string,[number,number]>();
const k=commandsKind({run: async (...a)=>{const c0=process.cpuUsage(); const r=await runInterrupted(...a); const c=process.cpuUsage(c0); const key=a.slice(0,3).join(' ')+' -> '+r.code; const e=by.get(key)??[0,0]; e[0]++; e[1]+=(c.user+c.system)/1000; by.set(key,e); return r;}});
await checkCase(k,{seed:1,index:0});
const c0=process.cpuUsage(); const t=performance.now(); const N=Number(process.argv[2]); const faults=new Map<string,number>();
for(let i=0;i<N;i++){const f=await checkCase(k,{seed:1,index:i}); if(f){ faults.set(f.fault,(faults.get(f.fault)??0)+1); if(faults.get(f.fault)===1) console.log('#'+i,f.fault,'\n   ',f.message.slice(0,300),'\n   ',f.input.slice(0,300)); } }
const c=process.cpuUsage(c0); console.log('cpu/case',((c.user+c.system)/1000/N).toFixed(1),'wall',((performance.now()-t)/N).toFixed(0));
console.log([...by].sort((a,b)=>b[1][1]-a[1][1]).slice(0,14).map(([k,[n,ms]])=>`${k} x${n} ${(ms/n).toFixed(0)}ms`).join('\n'));
console.log(faults);
await k.close?.();
